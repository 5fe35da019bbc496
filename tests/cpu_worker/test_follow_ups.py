"""Follow-up work that could not be done is owed still, and asked for again without anybody holding its message."""

import threading

import pytest
from PIL import Image

from cpu_worker.follow_ups import BUSY_S, FollowUps
from cpu_worker.thumbnails import Thumbnailer
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import FOLLOWUP_DUE_MS, Upkeep
from tests.cpu_worker.conftest import FinishJob
from tests.watched_storage import WatchedStorage, down

PICTURE = Image.new("RGB", (8, 8), "red")


@pytest.fixture
def threads() -> threading.Semaphore:
    return threading.Semaphore(1)


@pytest.fixture
def follow_ups(thumbnailer: Thumbnailer, upkeep: Upkeep, threads: threading.Semaphore) -> FollowUps:
    return FollowUps(thumbnailer, upkeep, threads)


def due_in_s(job_id: str, client: Client, upkeep: Upkeep) -> float:
    return float(client.zscore(keys.FOLLOWUPS(), job_id) + FOLLOWUP_DUE_MS - upkeep.now_ms()) / 1000


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


def test_one_that_finds_all_threads_waiting_for_storage_is_due_again_soon(
    follow_ups: FollowUps,
    threads: threading.Semaphore,
    store: JobStore,
    upkeep: Upkeep,
    client: Client,
    finish_job: FinishJob,
) -> None:
    job = finish_job(PICTURE)

    with threads:
        follow_ups.follow_up(job.id)

    assert store.get(job.id).images[0].thumbnail is None
    assert due_in_s(job.id, client, upkeep) == pytest.approx(BUSY_S, abs=1)


def test_what_is_done_already_is_not_owed_anew(
    follow_ups: FollowUps, threads: threading.Semaphore, client: Client, finish_job: FinishJob
) -> None:
    job = finish_job(PICTURE)
    follow_ups.follow_up(job.id)

    with threads:
        follow_ups.follow_up(job.id)

    assert client.zscore(keys.FOLLOWUPS(), job.id) is None
