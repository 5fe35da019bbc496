"""A node wired by hand: real job store, queue and storage; lanes that draw nothing worth looking at."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from darkroom.job_store.claims import Claims
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from gpu_worker.delivery.backpressure import Room
from gpu_worker.delivery.outbox import Outbox
from gpu_worker.delivery.spill import Spill
from gpu_worker.delivery.upload import Delivery
from gpu_worker.jobs.lanes import Lanes
from gpu_worker.jobs.leases import LeaseKeeper
from gpu_worker.node import Node
from tests.gpu_worker.fakes import FakeLane, PromptProgress
from tests.models.conftest import one_thread, tiny_card, tiny_pipeline  # noqa: F401
from tests.watched_storage import WatchedStorage


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def leases(claims: Claims, settings: Settings, clock: Clock) -> LeaseKeeper:
    return LeaseKeeper(claims, settings, clock)


@pytest.fixture
def progress(claims: Claims) -> Iterator[PromptProgress]:
    progress = PromptProgress(claims)
    progress.start()
    yield progress
    progress.stop()


@pytest.fixture
def spill(settings: Settings) -> Iterator[Spill]:
    """Whatever is encoded goes to disk, as nothing may stay in memory."""
    spill = Spill(settings.outbox_folder, settings.outbox_max_bytes, most_in_memory_bytes=0)
    spill.open()
    yield spill
    spill.close()


@pytest.fixture
def delivery(
    storage: WatchedStorage,
    claims: Claims,
    wakeups: Wakeups,
    progress: PromptProgress,
    spill: Spill,
    stopping: threading.Event,
) -> Delivery:
    return Delivery(storage, claims, wakeups, progress, spill, stopping)


@pytest.fixture
def outbox(delivery: Delivery, spill: Spill, settings: Settings, clock: Clock) -> Outbox:
    """Without couriers: a test runs its errands."""
    return Outbox(delivery, Room(spill), settings.delivery_patience_s, clock)


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane()


@pytest.fixture
def node(
    lane: FakeLane,
    claims: Claims,
    wakeups: Wakeups,
    leases: LeaseKeeper,
    progress: PromptProgress,
    outbox: Outbox,
    stopping: threading.Event,
) -> Node:
    lanes, draining = {"minilab": Lanes([lane])}, threading.Event()
    return Node("worker-1", lanes, claims, wakeups, leases, progress, outbox, draining, stopping)


@pytest.fixture(scope="session", autouse=True)
def quiet_diffusers() -> None:
    from diffusers.utils import logging

    logging.set_verbosity_error()
