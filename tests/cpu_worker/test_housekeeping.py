import pytest
from PIL import Image

from cpu_worker.housekeeping import Housekeeper
from darkroom.errors import BrokerUnavailable, ObjectMissing, StorageUnavailable
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.presence import report
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job, JobState
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from storage.keys import image_key
from tests.conftest import MakeRequest
from tests.cpu_worker.conftest import FinishJob
from tests.queued import queued
from tests.watched_storage import WatchedStorage, down

PICTURE = Image.new("RGB", (8, 8), "red")


def lose_its_worker(client: Client, job: Job) -> None:
    client.zadd(keys.LEASES(), {job.id: 1})


@pytest.fixture
def running(store: JobStore, claims: Claims, request_of: MakeRequest) -> Job:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "worker-1")
    assert job
    claims.renew([job])
    return job


def test_a_job_whose_own_deadline_has_passed_is_canceled(
    housekeeper: Housekeeper, store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    job = store.enqueue("alice", request_of(deadline_s=60)).job
    client.zadd(keys.DEADLINES(), {job.id: 1})

    housekeeper.keep_house()

    assert store.get(job.id).state is JobState.CANCELED


def test_a_job_whose_worker_is_lost_goes_back_in_line_and_wakes_another(
    housekeeper: Housekeeper, store: JobStore, client: Client, redis_url: str, running: Job
) -> None:
    lose_its_worker(client, running)

    housekeeper.keep_house()

    assert store.get(running.id).state is JobState.QUEUED
    assert queued(redis_url, "gpu.minilab") == [{"model": "minilab", "cause": None}]


def test_a_job_whose_worker_is_alive_is_left_alone(
    housekeeper: Housekeeper, store: JobStore, redis_url: str, running: Job
) -> None:
    housekeeper.keep_house()

    assert store.get(running.id) == running
    assert queued(redis_url, "gpu.minilab") == []


def test_a_job_that_loses_too_many_workers_fails(
    housekeeper: Housekeeper, store: JobStore, claims: Claims, client: Client, settings: Settings, running: Job
) -> None:
    for _ in range(settings.max_attempts - 1):
        lose_its_worker(client, running)
        housekeeper.keep_house()
        job = claims.claim_next("minilab", "next")
        assert job
        claims.renew([job])
    lose_its_worker(client, running)

    housekeeper.keep_house()

    job = store.get(running.id)
    assert job.failure
    assert (job.state, job.attempt, job.failure.code) == (JobState.FAILED, settings.max_attempts, "worker_lost")


@pytest.mark.parametrize(("published", "topped_up"), [(0, 3), (1, 2), (3, 0), (5, 0)])
def test_wakeups_are_topped_up_to_as_many_as_jobs_wait_and_not_beyond(
    housekeeper: Housekeeper,
    store: JobStore,
    wakeups: Wakeups,
    request_of: MakeRequest,
    published: int,
    topped_up: int,
) -> None:
    for _ in range(3):
        store.enqueue("alice", request_of())
    for _ in range(published):
        wakeups.wake("minilab")

    for _ in range(2):
        housekeeper.level_wakeups()

    assert wakeups.pending("minilab") == published + topped_up


def test_wakeups_of_canceled_jobs_are_counted_as_too_many_but_not_those_that_lanes_may_be_taking(
    housekeeper: Housekeeper, store: JobStore, claims: Claims, wakeups: Wakeups, client: Client, request_of: MakeRequest
) -> None:
    report(client, WorkerInfo("gpu-1", "gpu", ["minilab"], lanes=4))
    jobs = [store.enqueue("alice", request_of()).job.id for _ in range(10)]
    for _ in jobs:
        wakeups.wake("minilab")

    housekeeper.level_wakeups()
    assert not claims.take_surplus("minilab")
    for job_id in jobs[:9]:
        store.cancel(job_id)
    housekeeper.level_wakeups()

    assert [claims.take_surplus("minilab") for _ in range(6)] == [True] * 5 + [False]


def test_each_model_has_wakeups_of_its_own(
    housekeeper: Housekeeper, store: JobStore, redis_url: str, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    store.enqueue("alice", request_of(model="sdxl"))

    housekeeper.level_wakeups()

    assert [len(queued(redis_url, f"gpu.{model}")) for model in ("minilab", "sdxl")] == [1, 1]


def test_follow_up_work_whose_message_was_lost_is_sent_again_once_a_minute(
    housekeeper: Housekeeper, client: Client, redis_url: str, finish_job: FinishJob
) -> None:
    job = finish_job(PICTURE)
    housekeeper.send_due_followups()
    assert queued(redis_url, "cpu") == []
    client.zadd(keys.FOLLOWUPS(), {job.id: 1})

    for _ in range(2):
        housekeeper.send_due_followups()

    assert queued(redis_url, "cpu") == [{"job_id": job.id}]


@pytest.mark.parametrize(("waiting", "added"), [(98, 2), (100, 0), (101, 0)])
def test_follow_up_work_is_not_sent_again_while_a_hundred_messages_wait(
    housekeeper: Housekeeper,
    wakeups: Wakeups,
    client: Client,
    redis_url: str,
    finish_job: FinishJob,
    waiting: int,
    added: int,
) -> None:
    for _ in range(3):
        client.zadd(keys.FOLLOWUPS(), {finish_job(PICTURE).id: 1})
    for number in range(waiting):
        wakeups.follow_up(f"waits-{number}")

    housekeeper.send_due_followups()

    assert len(queued(redis_url, "cpu")) == waiting + added


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_a_dying_worker_stored_for_a_canceled_job_is_removed(
    housekeeper: Housekeeper,
    store: JobStore,
    storage: WatchedStorage,
    client: Client,
    running: Job,
    is_deleted: bool,
) -> None:
    key = image_key(running.id, 0, "png")
    store.cancel(running.id)
    if is_deleted:
        store.delete(running.id)
    storage.put(key, b"an image for nobody", content_type="image/png")

    housekeeper.clear_leftovers()
    kept = storage.get(key)
    client.zadd(keys.LEFTOVERS(), {running.id: 1}, xx=True)
    housekeeper.clear_leftovers()

    assert kept  # its worker may live, and clean up by itself
    with pytest.raises(ObjectMissing):
        storage.get(key)
    assert not client.exists(keys.LEFTOVERS())


def test_with_storage_down_what_is_left_of_a_job_is_tried_again_later(
    housekeeper: Housekeeper, store: JobStore, storage: WatchedStorage, client: Client, running: Job
) -> None:
    key = image_key(running.id, 0, "png")
    store.cancel(running.id)
    storage.put(key, b"an image for nobody", content_type="image/png")
    client.zadd(keys.LEFTOVERS(), {running.id: 1})
    storage.before_delete = down

    with pytest.raises(StorageUnavailable):
        housekeeper.clear_leftovers()
    housekeeper.clear_leftovers()  # not by the next round, which would hang as well
    storage.before_delete = lambda: None
    client.zadd(keys.LEFTOVERS(), {running.id: 1})
    housekeeper.clear_leftovers()

    with pytest.raises(ObjectMissing):
        storage.get(key)


def test_with_the_broker_down_lost_jobs_still_go_back_in_line(
    upkeep: Upkeep, store: JobStore, storage: WatchedStorage, unreachable: Wakeups, client: Client, running: Job
) -> None:
    lose_its_worker(client, running)

    with pytest.raises(BrokerUnavailable):
        Housekeeper(upkeep, storage, unreachable).keep_house()

    assert store.get(running.id).state is JobState.QUEUED


def test_storage_that_is_down_does_not_keep_lost_jobs_from_going_back_in_line(
    housekeeper: Housekeeper, store: JobStore, storage: WatchedStorage, client: Client, running: Job
) -> None:
    client.zadd(keys.LEFTOVERS(), {"0" * 28: 1})
    storage.before_delete = down
    lose_its_worker(client, running)

    housekeeper.keep_house()

    assert store.get(running.id).state is JobState.QUEUED
