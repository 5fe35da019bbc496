"""A node wired by hand: real job store, queue and storage; lanes that draw nothing worth looking at."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from darkroom.job_store.claims import Claims
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.outbox import Outbox
from gpu_worker.delivery.upload import Uploader
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
def backpressure(settings: Settings) -> Backpressure:
    return Backpressure(settings.outbox_max_bytes)


@pytest.fixture
def uploader(
    storage: WatchedStorage,
    claims: Claims,
    wakeups: Wakeups,
    progress: PromptProgress,
    backpressure: Backpressure,
    stopping: threading.Event,
) -> Uploader:
    return Uploader(storage, claims, wakeups, progress, backpressure, stopping)


@pytest.fixture
def outbox(uploader: Uploader, backpressure: Backpressure, settings: Settings, clock: Clock) -> Outbox:
    """Without these threads: a test runs its tasks."""
    return Outbox(uploader, backpressure, settings.delivery_patience_s, clock)


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
