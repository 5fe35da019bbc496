"""An engine at work, with a fake network and as many fake lanes as a test wants."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch

from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.runner import InFlight
from gpu_worker.engine.tempo import Tempo
from tests.gpu_worker.engine.batch_mates import PatientTempo, spread
from tests.gpu_worker.engine.fake_lanes import FakeLane, entry_of
from tests.gpu_worker.engine.fake_memory import FakeMemory
from tests.gpu_worker.engine.fake_network import FakeNetwork


class EngineBench:
    def __init__(
        self,
        threads: ThreadPoolExecutor,
        knees: Knees,
        tempo: Tempo,
        free_bytes: int | None,
        network: FakeNetwork,
        in_flight: InFlight | None,
    ) -> None:
        self.network = network
        self.deaths: list[BaseException] = []
        memory = None if free_bytes is None else FakeMemory(free_bytes, self.network)
        self.engine = Engine(
            knees,
            "cpu",
            clock=lambda: 0.0,
            tempo=tempo,
            on_death=self.deaths.append,
            memory=memory,
            in_flight=in_flight,
        )
        self._threads = threads

    def lane(self, network: FakeNetwork | None = None, **traits: Any) -> FakeLane:
        return FakeLane(self.engine, network or self.network, self._threads, **traits)

    def lanes(self, count: int) -> list[FakeLane]:
        return [self.lane() for _ in range(count)]

    def in_background(self, act: Callable[[], None]) -> None:
        self._threads.submit(act)


@contextmanager
def engine_bench(
    *,
    knee: int = 64,
    tempo: Tempo | None = None,
    starts: bool = True,
    free_bytes: int | None = None,
    forwards_at_once: int = 1,
    network: FakeNetwork | None = None,
    in_flight: InFlight | None = None,
) -> Iterator[EngineBench]:
    """Its engine waits for all lanes that have entered, unless given another pace. Its clock stands still."""
    with ThreadPoolExecutor(16, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        bench = EngineBench(
            threads, Knees(default_rows=knee), tempo or PatientTempo(), free_bytes, network or FakeNetwork(), in_flight
        )
        if starts:
            bench.engine.start()
        if forwards_at_once > 1:
            spread(bench.engine, [entry_of(bench.network)], forwards_at_once)
        try:
            yield bench
        finally:
            bench.network.may_go_on.set()
            bench.engine.stop()
