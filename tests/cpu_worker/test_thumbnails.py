import hashlib
from io import BytesIO

import pytest
from PIL import Image

from cpu_worker.thumbnails import Thumbnailer, shrink
from darkroom.errors import ObjectMissing, StorageUnavailable, UnknownJob
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from storage.keys import thumbnail_key
from tests.conftest import MakeRequest
from tests.cpu_worker.conftest import FinishJob
from tests.watched_storage import WatchedStorage, down

PICTURE = Image.linear_gradient("L").convert("RGB").resize((800, 400))


def file_of(picture: Image.Image, file_format: str = "png") -> bytes:
    buffer = BytesIO()
    picture.save(buffer, file_format)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def due(client: Client) -> list[str]:
    jobs: list[str] = client.zrange(keys.FOLLOWUPS(), 0, -1)
    return jobs


@pytest.mark.parametrize(
    ("size", "thumbnail_size"),
    [
        ((1024, 1024), (256, 256)),
        ((1024, 512), (256, 128)),
        ((300, 900), (85, 256)),
        ((256, 256), (256, 256)),
        ((128, 64), (128, 64)),
        ((4000, 8), (256, 1)),
    ],
)
def test_a_thumbnail_keeps_the_shape_and_is_never_larger(
    size: tuple[int, int], thumbnail_size: tuple[int, int]
) -> None:
    data, told_size = shrink(file_of(PICTURE.resize(size)))

    assert told_size == opened(data).size == thumbnail_size
    assert opened(data).format == "WEBP"


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "LA", "1"])
def test_every_kind_of_picture_has_a_thumbnail(mode: str) -> None:
    picture = Image.new("RGB", (300, 300), "red").convert(mode)

    assert shrink(file_of(picture))[1] == (256, 256)


@pytest.mark.parametrize("file_format", ["png", "webp", "jpeg"])
def test_it_looks_like_the_picture(file_format: str) -> None:
    data, _ = shrink(file_of(Image.new("RGB", (300, 300), (200, 30, 60)), file_format))

    pixel = opened(data).convert("RGB").getpixel((128, 128))
    assert isinstance(pixel, tuple)
    assert all(abs(one - other) < 8 for one, other in zip(pixel, (200, 30, 60), strict=True))


def test_what_is_transparent_stays_so() -> None:
    picture = Image.new("RGBA", (300, 300), (255, 0, 0, 0))

    assert opened(shrink(file_of(picture))[0]).getpixel((128, 128))[3] == 0  # type: ignore[index]


def test_each_image_of_a_job_gets_its_thumbnail(
    thumbnailer: Thumbnailer, store: JobStore, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    job = finish_job(PICTURE, PICTURE.rotate(90, expand=True))

    thumbnailer.follow_up(job.id)

    sizes = []
    for image in store.get(job.id).images:
        assert image.thumbnail
        data = storage.get(image.thumbnail.key)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (image.thumbnail.bytes, image.thumbnail.sha256)
        sizes.append((image.thumbnail.width, image.thumbnail.height))
    assert sizes == [(256, 128), (128, 256)]
    assert due(client) == []


def test_doing_it_twice_is_harmless(thumbnailer: Thumbnailer, store: JobStore, finish_job: FinishJob) -> None:
    job = finish_job(PICTURE)

    thumbnailer.follow_up(job.id)
    once = store.get(job.id)
    thumbnailer.follow_up(job.id)

    assert store.get(job.id) == once


def test_thumbnails_of_a_job_deleted_meanwhile_are_removed(
    thumbnailer: Thumbnailer, store: JobStore, storage: WatchedStorage, finish_job: FinishJob
) -> None:
    job = finish_job(PICTURE)

    def delete() -> None:
        storage.delete_job(job.id)
        store.delete(job.id)

    storage.before_put = delete

    thumbnailer.follow_up(job.id)

    with pytest.raises(ObjectMissing):
        storage.get(thumbnail_key(job.id, 0))
    with pytest.raises(UnknownJob):
        store.get(job.id)


def test_a_job_that_is_gone_is_followed_up_no_more(thumbnailer: Thumbnailer, client: Client) -> None:
    job_id = "0" * 28
    client.zadd(keys.FOLLOWUPS(), {job_id: 1})

    thumbnailer.follow_up(job_id)

    assert due(client) == []


def test_nor_one_whose_images_are_gone(
    thumbnailer: Thumbnailer, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    job = finish_job(PICTURE)
    storage.delete_job(job.id)

    thumbnailer.follow_up(job.id)

    assert due(client) == []


def test_a_damaged_image_goes_without_a_thumbnail_and_the_others_get_theirs(
    thumbnailer: Thumbnailer, store: JobStore, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    job = finish_job(PICTURE, PICTURE)
    key = job.images[0].key
    storage.put(key, storage.get(key)[:200], content_type="image/png")

    thumbnailer.follow_up(job.id)

    assert [image.thumbnail is None for image in store.get(job.id).images] == [True, False]
    assert due(client) == []


def test_a_job_that_has_not_succeeded_is_left_alone(
    thumbnailer: Thumbnailer, store: JobStore, request_of: MakeRequest
) -> None:
    job = store.enqueue("alice", request_of()).job

    thumbnailer.follow_up(job.id)

    assert store.get(job.id) == job


def test_with_storage_down_the_job_stays_due(
    thumbnailer: Thumbnailer, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    job = finish_job(PICTURE)
    storage.before_put = down

    with pytest.raises(StorageUnavailable):
        thumbnailer.follow_up(job.id)

    assert due(client) == [job.id]
