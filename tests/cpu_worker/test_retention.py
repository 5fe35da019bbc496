import pytest
from PIL import Image

from cpu_worker.retention import Retention
from darkroom.errors import ObjectMissing, StorageUnavailable, UnknownJob
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job
from tests.cpu_worker.conftest import FinishJob
from tests.watched_storage import WatchedStorage, down

PICTURE = Image.new("RGB", (8, 8), "red")


def grow_old(client: Client, *jobs: Job) -> None:
    for job in jobs:
        client.zadd(keys.FINAL(), {job.id: 1})


def is_gone(store: JobStore, job: Job) -> bool:
    try:
        store.get(job.id)
    except UnknownJob:
        return True
    return False


def has_image(storage: WatchedStorage, job: Job) -> bool:
    try:
        return bool(storage.get(job.images[0].key))
    except ObjectMissing:
        return False


@pytest.fixture
def retention(upkeep: Upkeep, store: JobStore, storage: WatchedStorage) -> Retention:
    return Retention(upkeep, store, storage, jobs_a_slice=2)


def test_old_jobs_go_with_their_images_and_younger_ones_stay(
    retention: Retention, store: JobStore, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    old, young = finish_job(PICTURE), finish_job(PICTURE)
    grow_old(client, old)

    retention.remove_old_jobs()

    assert (is_gone(store, old), has_image(storage, old)) == (True, False)
    assert (is_gone(store, young), has_image(storage, young)) == (False, True)
    assert client.keys(f"*{old.id}*") == [keys.GONE(old.id)]


def test_a_round_removes_slice_after_slice_until_no_old_job_is_left(
    retention: Retention, store: JobStore, client: Client, finish_job: FinishJob
) -> None:
    old = [finish_job(PICTURE) for _ in range(5)]
    grow_old(client, *old)

    retention.remove_old_jobs()

    assert all(is_gone(store, job) for job in old)


def test_a_round_ends_before_it_keeps_its_thread_from_other_things(
    upkeep: Upkeep, store: JobStore, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    jobs = [finish_job(PICTURE) for _ in range(41)]
    grow_old(client, *jobs)

    Retention(upkeep, store, storage, jobs_a_slice=1).remove_old_jobs()

    assert sum(is_gone(store, job) for job in jobs) == 40


def test_rounds_that_overlap_take_different_old_jobs(upkeep: Upkeep, client: Client, finish_job: FinishJob) -> None:
    old = [finish_job(PICTURE), finish_job(PICTURE, PICTURE)]
    grow_old(client, *old)

    taken = [upkeep.take_old(limit=1), upkeep.take_old(limit=1), upkeep.take_old(limit=1)]

    assert taken[0] | taken[1] == {old[0].id: 1, old[1].id: 2}
    assert [len(each) for each in taken] == [1, 1, 0]


def test_with_storage_down_no_old_job_is_removed_and_later_all_are(
    retention: Retention, store: JobStore, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    old = [finish_job(PICTURE), finish_job(PICTURE)]
    grow_old(client, *old)
    storage.before_delete = down

    with pytest.raises(StorageUnavailable):
        retention.remove_old_jobs()
    kept = [(is_gone(store, job), has_image(storage, job)) for job in old]
    storage.before_delete = lambda: None
    grow_old(client, *old)  # they are due again after a while
    retention.remove_old_jobs()

    assert kept == [(False, True)] * 2
    assert [(is_gone(store, job), has_image(storage, job)) for job in old] == [(True, False)] * 2


def test_a_job_whose_images_stay_keeps_its_record_and_holds_up_no_other(
    retention: Retention, store: JobStore, storage: WatchedStorage, client: Client, finish_job: FinishJob
) -> None:
    stuck, *others = [finish_job(PICTURE) for _ in range(4)]
    grow_old(client, stuck, *others)
    folder = storage.path(stuck.images[0].key).parent
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(elsewhere)  # which storage does not follow

    retention.remove_old_jobs()
    at_first = [is_gone(store, job) for job in (stuck, *others)]
    folder.unlink()
    elsewhere.rename(folder)
    retention.remove_old_jobs()
    too_soon = is_gone(store, stuck)
    grow_old(client, stuck)
    retention.remove_old_jobs()

    assert at_first == [False, True, True, True]
    assert not too_soon
    assert is_gone(store, stuck)
    assert not folder.exists()
