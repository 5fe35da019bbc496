"""What a delivery leaves behind: images, the job's record, messages. When it is tried is in test_outbox.py."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from PIL import Image

from darkroom.errors import ObjectMissing
from darkroom.job_store.claims import Claims
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job, JobState
from darkroom.messages.opening import open_wakeups
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.outbox import Outbox
from gpu_worker.delivery.upload import Parcel, Uploader
from gpu_worker.jobs.leases import Hold
from storage.keys import image_key
from tests.gpu_worker.conftest import Clock
from tests.gpu_worker.fakes import PromptProgress
from tests.gpu_worker.running import run_tasks
from tests.queued import queued
from tests.servers import free_port
from tests.watched_storage import WatchedStorage
from tests.worker_fixtures import StartJob

PICTURES = [Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")]

Deliver = Callable[..., None]


@pytest.fixture
def deliver(outbox: Outbox) -> Deliver:
    """All that upload threads can do for this job now."""

    def deliver(job: Job, images: list[Image.Image], hold: Hold | None = None) -> None:
        outbox.add(Parcel(hold or Hold(job, 100, Clock()), list(images)))
        run_tasks(outbox)

    return deliver


def is_stored(storage: WatchedStorage, job: Job, index: int = 0) -> bool:
    try:
        return bool(storage.get(image_key(job.id, index, "png")))
    except ObjectMissing:
        return False


@contextmanager
def broker_that_is_down() -> Iterator[Wakeups]:
    wakeups = open_wakeups(Settings(broker_url=f"redis://127.0.0.1:{free_port()}/0"))
    yield wakeups
    wakeups.close()


def test_images_are_stored_and_the_job_succeeds_with_them(
    deliver: Deliver, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job(n=2, seed=7)

    deliver(job, PICTURES)

    ended = store.get(job.id)
    assert (ended.state, [image.seed for image in ended.images]) == (JobState.SUCCEEDED, [7, 8])
    for image in ended.images:
        data = storage.get(image.key)
        assert (image.bytes, image.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert (image.width, image.height, image.content_type) == (16, 16, "image/png")


def test_the_cpu_workers_are_told(deliver: Deliver, redis_url: str, start_job: StartJob) -> None:
    job = start_job()

    deliver(job, PICTURES[:1])

    assert queued(redis_url, "cpu") == [{"job_id": job.id}]


def test_images_of_a_job_canceled_meanwhile_are_removed(
    deliver: Deliver, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job()

    def cancel() -> None:
        store.cancel(job.id)

    storage.before_put = cancel

    deliver(job, PICTURES[:1])

    assert not is_stored(storage, job)


def test_images_stored_before_the_cancel_was_noticed_are_removed_too(
    deliver: Deliver, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job(n=2)
    hold = Hold(job, 100, Clock())

    def cancel() -> None:
        store.cancel(job.id)
        hold.lose()

    storage.before_put = cancel

    deliver(job, PICTURES, hold)

    assert not is_stored(storage, job)


def test_images_of_a_job_deleted_meanwhile_are_removed(
    deliver: Deliver, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job()

    def remove() -> None:
        store.cancel(job.id)
        store.delete(job.id)

    storage.before_put = remove

    deliver(job, PICTURES[:1])

    assert not is_stored(storage, job)


def test_a_stale_attempt_leaves_the_images_of_the_one_that_took_over(
    deliver: Deliver, storage: WatchedStorage, claims: Claims, start_job: StartJob
) -> None:
    stale = start_job()
    claims.give_back(stale)
    current = claims.claim_next("minilab", "worker-2")
    assert current
    deliver(current, PICTURES[:1])

    deliver(stale, PICTURES[:1])

    assert is_stored(storage, current)


def test_a_job_past_its_deadline_is_not_stored(deliver: Deliver, storage: WatchedStorage, start_job: StartJob) -> None:
    job, clock = start_job(), Clock()
    hold = Hold(job, 10, clock)
    clock.now_s = 11

    deliver(job, PICTURES[:1], hold)

    assert not is_stored(storage, job)


def test_a_broker_that_is_down_does_not_cost_the_result(
    storage: WatchedStorage,
    claims: Claims,
    progress: PromptProgress,
    backpressure: Backpressure,
    store: JobStore,
    start_job: StartJob,
) -> None:
    job = start_job()

    with broker_that_is_down() as wakeups:
        uploader = Uploader(storage, claims, wakeups, progress, backpressure, threading.Event())
        outbox = Outbox(uploader, backpressure, 600)
        outbox.add(Parcel(Hold(job, 100, Clock()), PICTURES[:1]))
        run_tasks(outbox)

    assert store.get(job.id).state is JobState.SUCCEEDED


def test_the_record_says_how_wide_and_how_high_an_image_is(
    deliver: Deliver, store: JobStore, start_job: StartJob
) -> None:
    job = start_job()

    deliver(job, [Image.new("RGB", (32, 16))])

    [image] = store.get(job.id).images
    assert (image.width, image.height) == (32, 16)
