"""A worker that cannot deliver takes in no more than it may keep."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import structlog

from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.outbox import Outbox
from gpu_worker.delivery.upload import Uploader
from gpu_worker.generate import generate
from gpu_worker.node import Node
from tests.conftest import MakeRequest
from tests.gpu_worker.conftest import Clock
from tests.gpu_worker.fakes import FakeLane
from tests.gpu_worker.running import run_all, run_tasks
from tests.in_a_thread import SOON_S, in_a_thread
from tests.watched_storage import WatchedStorage, down, nothing

KB = 1000


class TightNode:
    """May keep 2 kB: three or four of the plain squares that its lane draws."""

    def __init__(self, node: Node, storage: WatchedStorage, clock: Clock) -> None:
        self.backpressure = Backpressure(most_encoded_bytes=2 * KB)
        uploader = Uploader(storage, node.claims, node.wakeups, node.progress, self.backpressure, node.stopping)
        self.outbox = Outbox(uploader, self.backpressure, 600, clock)
        self.node = replace(node, outbox=self.outbox)


@pytest.fixture
def tight(node: Node, storage: WatchedStorage, clock: Clock) -> TightNode:
    return TightNode(node, storage, clock)


def fill(tight: TightNode, store: JobStore, request_of: MakeRequest) -> list[str]:
    jobs: list[str] = []
    while tight.node.takes_jobs and len(jobs) < 20:
        jobs.append(store.enqueue("alice", request_of()).job.id)
        run_all("minilab", tight.node)
    return jobs


@contextmanager
def another_wakeup(tight: TightNode) -> Iterator[threading.Thread]:
    """In a thread of its own, as Celery runs it."""
    thread = threading.Thread(target=generate, args=("minilab", tight.node))
    thread.start()
    yield thread
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_a_full_outbox_takes_in_no_job(
    tight: TightNode, storage: WatchedStorage, store: JobStore, lane: FakeLane, request_of: MakeRequest
) -> None:
    storage.before_put = down
    with structlog.testing.capture_logs() as lines:
        drawn = fill(tight, store, request_of)
    waiting = store.enqueue("alice", request_of()).job.id

    with another_wakeup(tight):
        tight.node.draining.set()

    largest = KB  # each of them is smaller
    assert 2 * KB <= tight.backpressure.encoded_bytes < 2 * KB + largest
    assert len(lane.drawn) == len(drawn)
    assert store.get(waiting).state is JobState.QUEUED
    assert [line["event"] for line in lines].count("outbox.full") == 1, "said once"


def test_it_takes_jobs_again_when_storage_is_back(
    tight: TightNode,
    storage: WatchedStorage,
    store: JobStore,
    lane: FakeLane,
    clock: Clock,
    request_of: MakeRequest,
) -> None:
    storage.before_put = down
    jobs = [*fill(tight, store, request_of), store.enqueue("alice", request_of()).job.id]

    with another_wakeup(tight):
        storage.before_put = nothing
        clock.now_s += 10
        run_tasks(tight.outbox)
    run_tasks(tight.outbox)

    assert {store.get(job).state for job in jobs} == {JobState.SUCCEEDED}
    assert len(lane.drawn) == len(jobs)
    assert tight.backpressure.encoded_bytes == 0


def test_images_that_are_not_encoded_yet_count_too() -> None:
    backpressure = Backpressure(most_encoded_bytes=100, most_drawn_bytes=100)

    backpressure.drawn(100)
    backpressure.look()
    assert not backpressure

    backpressure.drawn(-100)
    backpressure.look()
    assert backpressure


def test_who_waits_for_room_is_woken_when_there_is() -> None:
    backpressure = Backpressure(most_encoded_bytes=100, look_s=3600)
    backpressure.encoded(100)
    backpressure.look()
    has_looked = threading.Semaphore(0)

    def is_leaving() -> bool:
        has_looked.release()
        return False

    waited = in_a_thread(lambda: backpressure.wait(is_leaving))
    assert has_looked.acquire(timeout=SOON_S)

    backpressure.encoded(-100)
    backpressure.look()

    waited.result(SOON_S)


@pytest.mark.parametrize(("share", "has_room"), [(0.74, True), (0.75, False)])
def test_what_was_full_has_room_again_below_three_quarters(share: float, has_room: bool) -> None:
    backpressure = Backpressure(most_encoded_bytes=100)
    backpressure.encoded(100)
    backpressure.look()

    backpressure.encoded(round(100 * share) - 100)
    backpressure.look()

    assert bool(backpressure) is has_room


def test_it_is_full_at_its_bound_and_not_before() -> None:
    backpressure = Backpressure(most_encoded_bytes=100)

    backpressure.encoded(99)
    backpressure.look()
    assert backpressure

    backpressure.encoded(1)
    backpressure.look()
    assert not backpressure


def test_one_job_that_fills_it_is_seen_as_soon_as_it_is_encoded(
    node: Node, storage: WatchedStorage, clock: Clock, store: JobStore, request_of: MakeRequest
) -> None:
    """And not when the next is drawn: that would be one too many."""
    backpressure = Backpressure(most_encoded_bytes=1)
    uploader = Uploader(storage, node.claims, node.wakeups, node.progress, backpressure, node.stopping)
    outbox = Outbox(uploader, backpressure, 600, clock)
    store.enqueue("alice", request_of())
    generate("minilab", replace(node, outbox=outbox))
    assert backpressure

    encode = outbox.task()
    assert encode
    encode()

    assert not backpressure
