"""Who waits in the outbox is woken by what happens, and does not have to look by itself."""

import threading
from concurrent.futures import Future

import pytest

from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.outbox import MOST_SENDING, Outbox, Task
from gpu_worker.delivery.upload import Uploader
from gpu_worker.generate import generate
from gpu_worker.node import Node
from tests.conftest import MakeRequest
from tests.gpu_worker.conftest import Clock
from tests.in_a_thread import SOON_S, in_a_thread

NEVER_S = 3600.0


class SlowToLook(Outbox):
    """Nobody who waits in it looks by itself; and it says when somebody is about to wait."""

    def __init__(self, uploader: Uploader, backpressure: Backpressure, clock: Clock) -> None:
        super().__init__(uploader, backpressure, 600, clock, look_s=NEVER_S)
        self.found_nothing = threading.Semaphore(0)

    def _choose(self) -> Task | None:
        task = super()._choose()
        if task is None:
            # The lock is held from here until the thread waits: who gets it next finds it waiting.
            self.found_nothing.release()
        return task


@pytest.fixture
def outbox(uploader: Uploader, backpressure: Backpressure, clock: Clock) -> SlowToLook:
    return SlowToLook(uploader, backpressure, clock)


def draw(node: Node, store: JobStore, request_of: MakeRequest) -> str:
    """Puts a job's images into the outbox."""
    job_id = store.enqueue("alice", request_of()).job.id
    generate("minilab", node)
    return job_id


def waiting(outbox: SlowToLook) -> "Future[Task | None]":
    """A thread that waits for a task."""
    task = in_a_thread(outbox.next_task)
    assert outbox.found_nothing.acquire(timeout=SOON_S)
    return task


def test_a_thread_that_waits_is_woken_by_a_drawn_job(
    node: Node, outbox: SlowToLook, store: JobStore, request_of: MakeRequest
) -> None:
    task = waiting(outbox)

    draw(node, store, request_of)

    assert task.result(SOON_S)


def test_a_thread_that_waits_is_woken_by_an_encoded_job(
    node: Node, outbox: SlowToLook, store: JobStore, request_of: MakeRequest
) -> None:
    job_id = draw(node, store, request_of)
    encode = outbox.task()
    assert encode
    task = waiting(outbox)

    encode()

    upload = task.result(SOON_S)
    assert upload
    upload()
    assert store.get(job_id).state is JobState.SUCCEEDED


def test_a_thread_that_waits_is_woken_by_an_upload_that_ends(
    node: Node, outbox: SlowToLook, store: JobStore, request_of: MakeRequest
) -> None:
    for _ in range(MOST_SENDING + 1):
        draw(node, store, request_of)
        encode = outbox.task()
        assert encode
        encode()
    uploads = [outbox.task() for _ in range(MOST_SENDING)]
    assert uploads[0]
    task = waiting(outbox)

    uploads[0]()

    assert task.result(SOON_S)


def test_a_thread_that_waits_is_woken_to_end(outbox: SlowToLook) -> None:
    task = waiting(outbox)

    outbox.close()

    assert task.result(SOON_S) is None


def test_who_waits_for_the_last_delivery_is_woken_by_it(
    node: Node, outbox: SlowToLook, store: JobStore, request_of: MakeRequest
) -> None:
    draw(node, store, request_of)
    empty = in_a_thread(outbox.wait_until_empty)

    while task := outbox.task():
        assert not empty.done()
        task()

    empty.result(SOON_S)
