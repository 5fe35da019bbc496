"""A wake-up of the upscaler's queue: the next job's images made larger, or a plain end."""

import json
import threading
from io import BytesIO

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cpu_worker.thumbnails import Thumbnailer
from cpu_worker.upscaling.outcome import Outcome
from cpu_worker.upscaling.upscaler import Upscaler
from darkroom.errors import ObjectMissing
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from darkroom.messages.wakeups import Wakeups
from darkroom.request import OutputFormat
from darkroom.upscaling import UPSCALER, upscale_request
from storage.contract import Storage
from storage.keys import image_key
from tests.cpu_worker.conftest import FinishJob
from tests.cpu_worker.upscaling.conftest import PICTURE, Order, Repeating
from tests.in_a_thread import SOON_S, in_a_thread
from tests.watched_storage import WatchedStorage, down


def opened(storage: Storage, key: str) -> Image.Image:
    image = Image.open(BytesIO(storage.get(key)))
    image.load()
    return image


@pytest.mark.parametrize("factor", [2, 4])
def test_a_job_s_images_are_made_larger(
    factor: int, upscaler: Upscaler, store: JobStore, storage: WatchedStorage, order: Order
) -> None:
    job = order(PICTURE, PICTURE.rotate(180), factor=factor)

    end = upscaler.upscale_next("cpu@1")

    job = store.get(job.id)
    assert (end.outcome, job.state, job.worker) == (Outcome.MADE, JobState.SUCCEEDED, "cpu@1")
    # Two parts of each picture.
    assert (job.step, job.steps) == (4, 4)
    for index, image in enumerate(job.images):
        picture = opened(storage, image.key)
        size = (250 * factor, 60 * factor)
        assert picture.size == (image.width, image.height) == size == (job.request.width, job.request.height)
        before = PICTURE.rotate(180 * index).resize(size, Image.Resampling.NEAREST)
        assert picture.convert("RGB").tobytes() == before.tobytes()


def test_its_follow_up_work_is_owed_like_any_other_s(
    upscaler: Upscaler, store: JobStore, client: Client, thumbnailer: Thumbnailer, order: Order
) -> None:
    job = order()

    upscaler.upscale_next("cpu@1")
    is_owed = client.zscore(keys.FOLLOWUPS(), job.id) is not None
    thumbnailer.follow_up(job.id)

    assert is_owed
    assert store.get(job.id).images[0].thumbnail


def test_a_file_still_says_how_it_was_made(
    upscaler: Upscaler, store: JobStore, storage: WatchedStorage, finish_job: FinishJob
) -> None:
    made, text, buffer = finish_job(PICTURE), PngInfo(), BytesIO()
    text.add_text("darkroom", '{"prompt": "a boat", "seed": 3}')
    PICTURE.save(buffer, "png", pnginfo=text)
    storage.put(made.images[0].key, buffer.getvalue(), content_type="image/png")
    job = store.enqueue("alice", upscale_request(made, made.images, 2)).job

    upscaler.upscale_next("cpu@1")

    said = opened(storage, store.get(job.id).images[0].key).info
    assert json.loads(said["darkroom"]) == {"prompt": "a boat", "seed": 3, "upscale": 2}
    assert said["darkroom-job"] == job.id


@pytest.mark.parametrize("file_format", ["webp", "jpeg"])
def test_its_format_and_quality_stay(
    file_format: str, upscaler: Upscaler, store: JobStore, storage: WatchedStorage, finish_job: FinishJob
) -> None:
    made, buffer = finish_job(PICTURE), BytesIO()
    PICTURE.save(buffer, file_format)
    storage.put(made.images[0].key, buffer.getvalue(), content_type=f"image/{file_format}")
    request = upscale_request(made, made.images, 2)
    store.enqueue(
        "alice", request.model_copy(update={"output_format": OutputFormat(file_format), "output_quality": 50})
    )
    store.enqueue("alice", request.model_copy(update={"output_format": OutputFormat(file_format)}))

    upscaler.upscale_next("cpu@1")
    upscaler.upscale_next("cpu@1")

    best, small = (store.newest("alice", limit=2)[index].images[0] for index in (0, 1))
    assert opened(storage, small.key).format == file_format.upper()
    assert small.content_type == f"image/{file_format}"
    assert small.bytes < best.bytes


def test_without_a_job_in_line_a_wake_up_ends(upscaler: Upscaler) -> None:
    assert upscaler.upscale_next("cpu@1").outcome is Outcome.NO_JOB


def test_one_wake_up_is_one_job(upscaler: Upscaler, claims: Claims, order: Order) -> None:
    order()
    order()

    upscaler.upscale_next("cpu@1")

    assert claims.waiting(UPSCALER) == 1


def test_while_one_is_made_another_waits_in_line(
    upscaler: Upscaler, claims: Claims, order: Order, network: Repeating
) -> None:
    order()
    order()
    begun, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        assert go_on.wait(SOON_S)

    network.before = pause
    first = in_a_thread(lambda: upscaler.upscale_next("cpu@1"))
    assert begun.wait(SOON_S)
    second = upscaler.upscale_next("cpu@1", patience_s=0.0)
    waiting = claims.waiting(UPSCALER)
    go_on.set()

    assert (second.outcome, waiting) == (Outcome.NOT_NOW, 1)
    assert first.result(SOON_S).outcome is Outcome.MADE


def test_a_cancel_takes_effect_at_the_next_part(
    upscaler: Upscaler, store: JobStore, storage: WatchedStorage, order: Order, network: Repeating
) -> None:
    job = order()
    seen: list[int] = []

    def cancel() -> None:
        seen.append(1)
        store.cancel(job.id)

    network.before = cancel

    end = upscaler.upscale_next("cpu@1")

    assert (end.outcome, store.get(job.id).state) == (Outcome.TAKEN, JobState.CANCELED)
    assert len(seen) == 1


def test_what_was_stored_of_a_job_canceled_meanwhile_is_removed(
    upscaler: Upscaler, store: JobStore, storage: WatchedStorage, order: Order
) -> None:
    job = order()

    def cancel() -> None:
        store.cancel(job.id)

    storage.before_put = cancel

    end = upscaler.upscale_next("cpu@1")

    assert end.outcome is Outcome.TAKEN
    with pytest.raises(ObjectMissing):
        storage.get(image_key(job.id, 0, "png"))


def test_a_worker_that_ends_puts_its_job_back_at_once(
    upscaler: Upscaler, store: JobStore, wakeups: Wakeups, order: Order, network: Repeating
) -> None:
    job = order()
    network.before = upscaler.stopping.set

    end = upscaler.upscale_next("cpu@1")
    after = upscaler.upscale_next("cpu@1")

    assert (end.outcome, after.outcome) == (Outcome.PUT_BACK, Outcome.NOT_NOW)
    assert store.get(job.id).state is JobState.QUEUED
    assert wakeups.pending(UPSCALER) == 1


def test_an_image_deleted_meanwhile_fails_the_job_with_a_plain_reason(
    upscaler: Upscaler, store: JobStore, storage: WatchedStorage, order: Order
) -> None:
    gone, without_file = order(), order()
    parent, _, _ = gone.request.image[0].rpartition("-")
    store.delete(parent)
    storage.delete_job(without_file.request.image[0].rpartition("-")[0])

    ends = [upscaler.upscale_next("cpu@1") for _ in range(2)]

    assert [end.outcome for end in ends] == [Outcome.FAILED] * 2
    for job in (gone, without_file):
        failure = store.get(job.id).failure
        assert failure
        assert failure.code == "input_missing"


def test_storage_that_is_away_for_too_long_fails_the_job(
    upscaler: Upscaler, store: JobStore, storage: WatchedStorage, order: Order
) -> None:
    job, storage.before_put = order(), down

    end = upscaler.upscale_next("cpu@1")

    assert (end.outcome, end.code) == (Outcome.FAILED, "delivery_failed")
    assert store.get(job.id).state is JobState.FAILED


def test_an_error_that_nothing_explains_is_tried_again_and_then_a_dead_letter(
    upscaler: Upscaler, store: JobStore, client: Client, order: Order, network: Repeating
) -> None:
    job = order()

    def fail() -> None:
        raise OSError("no such luck")

    network.before = fail

    outcomes = [upscaler.upscale_next("cpu@1").outcome for _ in range(3)]

    assert outcomes == [Outcome.PUT_BACK, Outcome.PUT_BACK, Outcome.FAILED]
    assert store.get(job.id).failure
    assert client.zscore(keys.DEAD(), job.id)


def test_an_image_too_large_for_memory_fails_at_once(
    upscaler: Upscaler, store: JobStore, order: Order, network: Repeating
) -> None:
    job = order()

    def fail() -> None:
        raise MemoryError

    network.before = fail

    assert upscaler.upscale_next("cpu@1").code == "out_of_memory"
    assert store.get(job.id).state is JobState.FAILED
