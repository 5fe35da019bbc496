"""Runs jobs as batch mates: a lane each, real pipelines, one engine that waits until all lanes are back."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from gpu_worker.engine.call import Entry, Run
from gpu_worker.engine.cores import Division
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.proxy import NetworkProxy, share_networks
from gpu_worker.engine.run_slot import RunSlot
from gpu_worker.engine.tempo import Tempo
from gpu_worker.step_reuse.policy import Level
from gpu_worker.step_reuse.run import StepReuse
from models.cpu_schedule import keep_on_cpu
from models.lane_pipeline import lane_pipeline

PATIENCE_S = 30


@dataclass(frozen=True)
class Order:
    """What one lane is to draw, and how it behaves."""

    arguments: Mapping[str, Any]
    scheduler: str | None = None
    seeds: Sequence[int] = (0,)
    joins_at_forward: int = 0
    """Of the denoiser; 0 means from the start."""
    canceled_at_call: int | None = None
    reuse: Level | None = None

    def draw(self, pipeline: Any, reuse: StepReuse | None = None) -> Any:
        generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]

        def step_done(_pipeline: Any, _index: int, _timestep: Any, tensors: Any) -> Any:
            if reuse:
                reuse.step_done()
            return tensors

        arguments = {"callback_on_step_end": step_done, **self.arguments}
        return pipeline(**arguments, generator=generators, output_type="np").images


class Canceled(Exception):
    """What the run of an order raises that is canceled."""


class PatientTempo(Tempo):
    """Waits for every lane inside, so that what shares a forward is no matter of luck."""

    def worth_waiting_s(self, *, is_urgent: bool = False) -> float:
        return PATIENCE_S


@dataclass
class BatchMates:
    images: list[Any] = field(default_factory=list)
    """None for an order that was canceled."""
    reused: list[int] = field(default_factory=list)
    """Steps of each order."""
    rows: list[int] = field(default_factory=list)
    """Of each forward of the denoiser."""
    rows_of: dict[str, list[int]] = field(default_factory=dict)
    """Of each forward of every network, an autoencoder's two halves apart."""


def alone(base: Any, order: Order) -> Any:
    """What the plain pipeline draws, without an engine."""
    return order.draw(lane_pipeline(base, order.scheduler))


def together(
    base: Any, orders: Sequence[Order], knees: Knees | None = None, device: str = "cpu", forwards_at_once: int = 1
) -> BatchMates:
    batch_mates = BatchMates()
    engine = Engine(knees or Knees(default_rows=64), device, tempo=PatientTempo())
    lanes = [_Lane(base, engine, order) for order in orders]
    with (
        _watched(base, batch_mates, lanes),
        _running(engine, lanes, forwards_at_once),
        ThreadPoolExecutor(len(lanes), initializer=_one_thread) as threads,
    ):
        batch_mates.images = list(threads.map(lambda lane: _run(lane, lanes), lanes))
    batch_mates.reused = [lane.reuse.reused if lane.reuse else 0 for lane in lanes]
    return batch_mates


def spread(engine: Engine, entries: Collection[Entry], forwards_at_once: int) -> None:
    """As a warm-up does it on as many cores, when one thread turns out to be enough for a forward."""
    engine.do(lambda: torch.set_num_threads(forwards_at_once))
    engine.spread(entries, lambda cores: Division(threads=1, forwards=cores))


def difference(ones: Sequence[Any], others: Sequence[Any]) -> float:
    """The largest between any two images, whose values are from 0 to 1; 0 where there are none."""
    assert [image.shape for image in ones] == [image.shape for image in others]
    return max((float(np.abs(image - other).max()) for image, other in zip(ones, others, strict=True)), default=0.0)


class _Lane:
    def __init__(self, base: Any, engine: Engine, order: Order) -> None:
        self.order = order
        self.may_start, self.has_entered = threading.Event(), threading.Event()
        self._calls = 0
        self._pipeline: Any = lane_pipeline(base, order.scheduler)
        self._slot = RunSlot(engine)
        share_networks(self._pipeline, self._slot)
        if base.device.type == "cuda":
            keep_on_cpu(self._pipeline.scheduler)
        self.reuse = StepReuse(order.reuse, self._pipeline) if order.reuse else None
        self._run = Run(priority=0, work_left=1, entered_s=0, check=self._check, reuse=self.reuse)
        if order.joins_at_forward == 0:
            self.may_start.set()
            engine.enter(self._run)  # so that the first to come waits for the others

    @property
    def entries(self) -> list[Entry]:
        """Of all networks that this lane shares."""
        proxies = [part for part in vars(self._pipeline).values() if type(part) is NetworkProxy]
        return [entry for proxy in proxies for entry in proxy.entries]

    def run(self) -> Any:
        assert self.may_start.wait(PATIENCE_S)
        with self._slot.taken(self._run):
            self.has_entered.set()
            try:
                return self.order.draw(self._pipeline, self.reuse)
            except Canceled:
                return None

    def _check(self) -> None:
        """Asked at each call."""
        self._calls += 1
        if self.order.canceled_at_call is not None and self._calls >= self.order.canceled_at_call:
            raise Canceled


def _run(lane: _Lane, lanes: Sequence[_Lane]) -> Any:
    try:
        return lane.run()
    finally:
        # The forward that somebody is to join at may never come, when others are canceled before.
        for other in lanes:
            other.may_start.set()


@contextmanager
def _running(engine: Engine, lanes: Sequence[_Lane], forwards_at_once: int) -> Iterator[None]:
    engine.start()
    if forwards_at_once > 1:
        spread(engine, {entry for lane in lanes for entry in lane.entries}, forwards_at_once)
    try:
        yield
    finally:
        engine.stop()


@contextmanager
def _watched(base: Any, batch_mates: BatchMates, lanes: Sequence[_Lane]) -> Iterator[None]:
    """Counts rows; and holds the denoiser's forward until those have come who join at it."""
    denoiser = "unet" if hasattr(base, "unet") else "transformer"
    networks = {name: part for name, part in base.components.items() if isinstance(part, torch.nn.Module)}
    networks |= {"encoder": base.vae.encoder, "decoder": base.vae.decoder}

    def watch(name: str, kwargs: Mapping[str, Any], args: Sequence[Any]) -> None:
        rows = len(next(value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor | list)))
        batch_mates.rows_of.setdefault(name, []).append(rows)
        if name == denoiser:
            batch_mates.rows.append(rows)
            _let_in(lanes, len(batch_mates.rows))

    hooks = [
        network.register_forward_pre_hook(
            lambda _network, args, kwargs, name=name: watch(name, kwargs, args), with_kwargs=True
        )
        for name, network in networks.items()
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _let_in(lanes: Sequence[_Lane], forward: int) -> None:
    for lane in lanes:
        if lane.order.joins_at_forward == forward:
            lane.may_start.set()
            assert lane.has_entered.wait(PATIENCE_S)


def _one_thread() -> None:
    torch.set_num_threads(1)  # counts for the thread that says it
