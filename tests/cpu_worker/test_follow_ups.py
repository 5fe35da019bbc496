"""Follow-up work that could not be done is owed still, and asked for again without anybody holding its message."""

import pytest
from PIL import Image

from cpu_worker.follow_ups import FollowUps
from cpu_worker.thumbnails import Thumbnailer
from cpu_worker.upscaling.orders import UpscaleOrders
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.messages.wakeups import Wakeups
from tests.cpu_worker.conftest import FinishJob
from tests.watched_storage import WatchedStorage, down

PICTURE = Image.new("RGB", (8, 8), "red")


@pytest.fixture
def follow_ups(store: JobStore, wakeups: Wakeups, thumbnailer: Thumbnailer) -> FollowUps:
    return FollowUps(UpscaleOrders(store, wakeups), thumbnailer)


def test_what_storage_refused_is_owed_and_takes_no_thread_meanwhile(
    follow_ups: FollowUps, storage: WatchedStorage, store: JobStore, client: Client, finish_job: FinishJob
) -> None:
    job, storage.before_put = finish_job(PICTURE), down

    follow_ups.follow_up(job.id)
    is_owed = client.zscore(keys.FOLLOWUPS(), job.id) is not None
    storage.before_put = lambda: None
    follow_ups.follow_up(job.id)

    assert is_owed
    assert store.get(job.id).images[0].thumbnail
    assert client.zscore(keys.FOLLOWUPS(), job.id) is None


def test_what_is_done_already_is_not_owed_anew(follow_ups: FollowUps, client: Client, finish_job: FinishJob) -> None:
    job = finish_job(PICTURE)
    follow_ups.follow_up(job.id)

    follow_ups.follow_up(job.id)

    assert client.zscore(keys.FOLLOWUPS(), job.id) is None
