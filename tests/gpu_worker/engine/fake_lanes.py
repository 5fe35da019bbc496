"""Lanes without a pipeline: each files the calls it is told to, in a thread of its own."""

import inspect
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch

from gpu_worker.engine.call import Entry, Run
from gpu_worker.engine.engine import Engine
from tests.gpu_worker.engine.fake_network import FakeNetwork


class FakeLane:
    """Has entered, so that a patient engine waits for its calls."""

    def __init__(
        self,
        engine: Engine,
        network: FakeNetwork,
        threads: ThreadPoolExecutor,
        *,
        priority: int = 0,
        check: Callable[[], None] = lambda: None,
        job_id: str = "",
    ) -> None:
        self._engine, self._threads = engine, threads
        self._entry = entry_of(network)
        self.run = Run(priority=priority, work_left=1, entered_s=0, check=check, job_id=job_id)
        engine.enter(self.run)

    def call(self, *samples: float, **arguments: Any) -> Any:
        """One call, a row a sample; then the lane leaves."""
        return self.calls([samples], **arguments)

    def calls(self, calls: "list[tuple[float, ...]]", **arguments: Any) -> "Future[Any]":
        """One call after the other. Gives the last one's result."""

        def run() -> Any:
            try:
                for samples in calls:
                    tensors = (torch.tensor([[sample] for sample in samples]),)
                    result = self._engine.run(self.run, self._entry, tensors, arguments)
                return result
            finally:
                self._engine.leave(self.run)

        return self._threads.submit(run)


def entry_of(network: FakeNetwork) -> Entry:
    return Entry("FakeNetwork", "forward", network, inspect.signature(network.forward))


def drawn(future: "Future[Any]") -> list[float]:
    (doubled,) = future.result(30)
    values: list[float] = doubled.flatten().tolist()
    return values
