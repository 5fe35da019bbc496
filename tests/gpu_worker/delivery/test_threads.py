"""Threads that deliver beside those that draw: storage that hangs holds up neither drawing nor each other."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.outbox import MOST_SENDING, THREADS, Outbox, Task, UploadThreads
from gpu_worker.delivery.upload import Uploader
from gpu_worker.generate import generate
from gpu_worker.node import Node
from tests.conftest import MakeRequest
from tests.eventually import eventually
from tests.gpu_worker.fakes import FakeLane
from tests.watched_storage import WatchedStorage


@pytest.fixture
def outbox(uploader: Uploader, outbox: Outbox) -> Outbox:
    """By the real clock, which its upload threads live by."""
    return Outbox(uploader, outbox.backpressure, 600)


@pytest.fixture
def upload_threads(outbox: Outbox) -> Iterator[UploadThreads]:
    upload_threads = UploadThreads(outbox)
    upload_threads.start()
    yield upload_threads
    upload_threads.stop()


class HangingPuts:
    """So many puts hang until they are let go."""

    def __init__(self, storage: WatchedStorage, how_many: int) -> None:
        self.begun = threading.Semaphore(0)
        self._left = threading.Semaphore(how_many)
        self._go_on = threading.Event()
        storage.before_put = self._hang

    def let_go(self) -> None:
        self._go_on.set()

    def _hang(self) -> None:
        self.begun.release()
        if self._left.acquire(blocking=False):
            assert self._go_on.wait(30)


def draw(node: Node, store: JobStore, request_of: MakeRequest, count: int) -> list[str]:
    jobs = [store.enqueue("alice", request_of()).job.id for _ in range(count)]
    for _ in jobs:
        generate("minilab", node)
    return jobs


def succeeded(store: JobStore, jobs: list[str]) -> int:
    return [store.get(job).state for job in jobs].count(JobState.SUCCEEDED)


def test_jobs_are_drawn_and_encoded_while_all_uploads_hang(
    node: Node,
    upload_threads: UploadThreads,
    backpressure: Backpressure,
    storage: WatchedStorage,
    store: JobStore,
    lane: FakeLane,
    request_of: MakeRequest,
) -> None:
    hanging = HangingPuts(storage, MOST_SENDING)

    jobs = draw(node, store, request_of, 10)

    for _ in range(MOST_SENDING):
        assert hanging.begun.acquire(timeout=20)
    eventually(lambda: backpressure.drawn_bytes == 0, what="ten encoded images")
    assert (len(lane.drawn), succeeded(store, jobs)) == (10, 0)
    hanging.let_go()
    eventually(lambda: succeeded(store, jobs) == 10)
    node.outbox.wait_until_empty()
    assert backpressure.encoded_bytes == 0


def test_one_slow_upload_holds_up_no_other(
    node: Node, upload_threads: UploadThreads, storage: WatchedStorage, store: JobStore, request_of: MakeRequest
) -> None:
    hanging = HangingPuts(storage, 1)

    jobs = draw(node, store, request_of, 10)

    eventually(lambda: succeeded(store, jobs) == 9)
    hanging.let_go()
    eventually(lambda: succeeded(store, jobs) == 10)


def test_a_worker_that_stops_gives_back_what_waits_while_uploads_hang(
    node: Node,
    upload_threads: UploadThreads,
    storage: WatchedStorage,
    store: JobStore,
    stopping: threading.Event,
    request_of: MakeRequest,
) -> None:
    hanging = HangingPuts(storage, MOST_SENDING)
    jobs = draw(node, store, request_of, 10)
    for _ in range(MOST_SENDING):
        assert hanging.begun.acquire(timeout=20)

    stopping.set()

    eventually(lambda: [store.get(job).state for job in jobs].count(JobState.QUEUED) == 10 - MOST_SENDING)
    hanging.let_go()
    eventually(lambda: node.leases.jobs() == [])


class OutboxThatBreaks(Outbox):
    """Its first tasks raise what nobody foresaw: one for each thread."""

    def __init__(self, uploader: Uploader, outbox: Outbox) -> None:
        super().__init__(uploader, outbox.backpressure, 600)
        self._broken = [KeyError("unforeseen") for _ in range(THREADS)]

    @property
    def broken_tasks(self) -> int:
        return len(self._broken)

    def next_task(self) -> Task | None:
        return self._break if self._broken else super().next_task()

    def _break(self) -> None:
        if self._broken:
            raise self._broken.pop()


def test_an_unforeseen_error_ends_no_upload_thread(
    node: Node, uploader: Uploader, outbox: Outbox, store: JobStore, request_of: MakeRequest
) -> None:
    breaking = OutboxThatBreaks(uploader, outbox)
    upload_threads = UploadThreads(breaking)
    upload_threads.start()

    jobs = draw(replace(node, outbox=breaking), store, request_of, 5)

    eventually(lambda: succeeded(store, jobs) == 5)
    assert breaking.broken_tasks == 0
    upload_threads.stop()


def test_an_upload_that_is_under_way_ends_before_its_threads_are_stopped(
    node: Node, outbox: Outbox, storage: WatchedStorage, store: JobStore, request_of: MakeRequest
) -> None:
    upload_threads = UploadThreads(outbox)
    upload_threads.start()
    hanging = HangingPuts(storage, 1)
    jobs = draw(node, store, request_of, 1)
    assert hanging.begun.acquire(timeout=20)
    threading.Timer(0.1, hanging.let_go).start()

    upload_threads.stop()

    assert succeeded(store, jobs) == 1
