import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image

from darkroom.celery_app import make_app
from darkroom.claims import Claims
from darkroom.errors import (
    DeadlineExceeded,
    DeliveryFailed,
    JobTaken,
    ObjectMissing,
    WorkerStopping,
)
from darkroom.jobs import Job, JobState
from darkroom.settings import Settings
from darkroom.store import JobStore
from darkroom.wakeups import Wakeups
from gpu_worker.delivery import Delivery
from gpu_worker.leases import Hold
from storage.keys import image_key
from tests.gpu_worker.conftest import Clock, StartJob
from tests.queued import queued
from tests.servers import free_port
from tests.watched_storage import WatchedStorage, down

PICTURES = [Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"delivery_patience_s": 5.0})


@pytest.fixture
def impatient(settings: Settings) -> Settings:
    return settings.model_copy(update={"delivery_patience_s": 0.0})


def hold_of(job: Job) -> Hold:
    return Hold(job, 100, Clock())


def is_stored(storage: WatchedStorage, job: Job, index: int = 0) -> bool:
    try:
        return bool(storage.get(image_key(job.id, index, "png")))
    except ObjectMissing:
        return False


@contextmanager
def broker_that_is_down() -> Iterator[Wakeups]:
    app = make_app(Settings(broker_url=f"redis://127.0.0.1:{free_port()}/0"))
    yield Wakeups(app)
    app.close()


def test_images_are_stored_and_the_job_succeeds_with_them(
    delivery: Delivery, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job(n=2, seed=7)

    delivery.deliver(job, PICTURES, hold_of(job))

    ended = store.get(job.id)
    assert (ended.state, [image.seed for image in ended.images]) == (JobState.SUCCEEDED, [7, 8])
    for image in ended.images:
        data = storage.get(image.key)
        assert (image.bytes, image.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert (image.width, image.height, image.content_type) == (16, 16, "image/png")


def test_the_cpu_workers_are_told(delivery: Delivery, redis_url: str, start_job: StartJob) -> None:
    job = start_job()

    delivery.deliver(job, PICTURES[:1], hold_of(job))

    assert queued(redis_url, "cpu") == [{"job_id": job.id}]


def test_a_storage_that_stumbles_costs_no_image(
    delivery: Delivery, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job, failures = start_job(), [1]

    def stumble() -> None:
        if failures.pop() if failures else False:
            down()

    storage.before_put = stumble

    delivery.deliver(job, PICTURES[:1], hold_of(job))

    assert store.get(job.id).state is JobState.SUCCEEDED
    assert is_stored(storage, job)


def test_a_storage_that_stays_down_fails_the_job_and_says_why(
    storage: WatchedStorage, claims: Claims, wakeups: Wakeups, impatient: Settings, start_job: StartJob
) -> None:
    job = start_job()
    storage.before_put = down
    delivery = Delivery(storage, claims, wakeups, impatient, threading.Event())

    with pytest.raises(DeliveryFailed, match="The bucket does not answer"):
        delivery.deliver(job, PICTURES[:1], hold_of(job))


def test_a_worker_that_shall_stop_waits_for_storage_no_longer(
    delivery: Delivery, storage: WatchedStorage, stopping: threading.Event, start_job: StartJob
) -> None:
    job = start_job()

    def stop_and_fail() -> None:
        stopping.set()
        down()

    storage.before_put = stop_and_fail

    with pytest.raises(WorkerStopping):
        delivery.deliver(job, PICTURES[:1], hold_of(job))


def test_images_of_a_job_canceled_meanwhile_are_removed(
    delivery: Delivery, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job()

    def cancel() -> None:
        store.cancel(job.id)

    storage.before_put = cancel

    with pytest.raises(JobTaken):
        delivery.deliver(job, PICTURES[:1], hold_of(job))

    assert not is_stored(storage, job)


def test_images_stored_before_the_cancel_was_noticed_are_removed_too(
    delivery: Delivery, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job(n=2)
    hold = hold_of(job)

    def cancel() -> None:
        store.cancel(job.id)
        hold.lose()

    storage.before_put = cancel

    with pytest.raises(JobTaken):
        delivery.deliver(job, PICTURES, hold)

    assert not is_stored(storage, job)


def test_images_of_a_job_deleted_meanwhile_are_removed(
    delivery: Delivery, storage: WatchedStorage, store: JobStore, start_job: StartJob
) -> None:
    job = start_job()

    def remove() -> None:
        store.cancel(job.id)
        store.delete(job.id)

    storage.before_put = remove

    with pytest.raises(JobTaken):
        delivery.deliver(job, PICTURES[:1], hold_of(job))

    assert not is_stored(storage, job)


def test_a_stale_attempt_leaves_the_images_of_the_one_that_took_over(
    delivery: Delivery, storage: WatchedStorage, claims: Claims, start_job: StartJob
) -> None:
    stale = start_job()
    claims.give_back(stale)
    current = claims.claim_next("minilab", "worker-2")
    assert current
    delivery.deliver(current, PICTURES[:1], hold_of(current))

    with pytest.raises(JobTaken):
        delivery.deliver(stale, PICTURES[:1], hold_of(stale))

    assert is_stored(storage, current)


def test_a_job_past_its_deadline_is_not_stored(
    delivery: Delivery, storage: WatchedStorage, start_job: StartJob
) -> None:
    job, clock = start_job(), Clock()
    hold = Hold(job, 10, clock)
    clock.now_s = 11

    with pytest.raises(DeadlineExceeded):
        delivery.deliver(job, PICTURES[:1], hold)

    assert not is_stored(storage, job)


def test_a_broker_that_is_down_does_not_cost_the_result(
    storage: WatchedStorage, claims: Claims, settings: Settings, store: JobStore, start_job: StartJob
) -> None:
    job = start_job()

    with broker_that_is_down() as wakeups:
        Delivery(storage, claims, wakeups, settings, threading.Event()).deliver(job, PICTURES[:1], hold_of(job))

    assert store.get(job.id).state is JobState.SUCCEEDED
