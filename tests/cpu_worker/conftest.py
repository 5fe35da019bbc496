"""What CPU workers have: real job store, queue and storage. Succeeded jobs to work on."""

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image

from cpu_worker.housekeeping import Housekeeper
from cpu_worker.thumbnails import Thumbnailer
from darkroom.job_store.claims import Claims
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job, StoredImage
from darkroom.messages.opening import open_wakeups
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from storage.contract import Storage
from storage.keys import image_key
from tests.servers import free_port
from tests.watched_storage import WatchedStorage
from tests.worker_fixtures import StartJob

FinishJob = Callable[..., Job]


@pytest.fixture
def unreachable() -> Iterator[Wakeups]:
    """A broker that is down."""
    wakeups = open_wakeups(Settings(broker_url=f"redis://127.0.0.1:{free_port()}/0"))
    yield wakeups
    wakeups.close()


@pytest.fixture
def thumbnailer(store: JobStore, upkeep: Upkeep, storage: WatchedStorage) -> Thumbnailer:
    return Thumbnailer(store, upkeep, storage)


@pytest.fixture
def housekeeper(upkeep: Upkeep, storage: WatchedStorage, wakeups: Wakeups) -> Housekeeper:
    return Housekeeper(upkeep, storage, wakeups)


@pytest.fixture
def finish_job(store: JobStore, claims: Claims, storage: WatchedStorage, start_job: StartJob) -> FinishJob:
    """A job that has succeeded with these pictures."""

    def finish(*pictures: Image.Image) -> Job:
        job = start_job(n=max(1, len(pictures)))
        claims.succeed(job, [put(storage, job, index, picture) for index, picture in enumerate(pictures)])
        return store.get(job.id)

    return finish


def put(storage: Storage, job: Job, index: int, picture: Image.Image) -> StoredImage:
    key, buffer = image_key(job.id, index, "png"), BytesIO()
    picture.save(buffer, "png")
    storage.put(key, buffer.getvalue(), content_type="image/png")
    return StoredImage(
        index=index,
        seed=index,
        key=key,
        content_type="image/png",
        width=picture.width,
        height=picture.height,
        bytes=buffer.tell(),
        sha256="0" * 64,
    )
