"""A request that says `upscale`: when its images are there, a job follows that makes them larger. Once."""

import pytest
from PIL import Image

from cpu_worker.follow_ups import FollowUps
from cpu_worker.thumbnails import Thumbnailer
from cpu_worker.upscaling.orders import UpscaleOrders
from darkroom.inputs import Task
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job, JobState
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from darkroom.upscaling import UPSCALER, upscale_job_of
from tests.cpu_worker.conftest import put
from tests.watched_storage import WatchedStorage
from tests.worker_fixtures import StartJob

PICTURE = Image.new("RGB", (40, 20), "red")


@pytest.fixture
def orders(store: JobStore, wakeups: Wakeups) -> UpscaleOrders:
    return UpscaleOrders(store, wakeups)


@pytest.fixture
def parent(claims: Claims, storage: WatchedStorage, start_job: StartJob) -> Job:
    job = start_job(n=2, upscale=4, width=40, height=20, prompt="a boat")
    claims.succeed(job, [put(storage, job, index, PICTURE) for index in range(2)])
    return job


def test_the_job_that_follows_has_the_id_that_was_told_before(
    orders: UpscaleOrders, store: JobStore, wakeups: Wakeups, parent: Job
) -> None:
    orders.place(parent.id)

    job = store.get(upscale_job_of(parent.id))
    assert (job.owner, job.state, job.request.task) == ("alice", JobState.QUEUED, Task.UPSCALE)
    assert job.request.image == (f"{parent.id}-0", f"{parent.id}-1")
    assert (job.request.width, job.request.height, job.request.prompt) == (160, 80, "a boat")
    assert wakeups.pending(UPSCALER) == 1


def test_placing_it_twice_makes_one(orders: UpscaleOrders, claims: Claims, parent: Job) -> None:
    orders.place(parent.id)
    orders.place(parent.id)

    assert claims.waiting(UPSCALER) == 1


def test_it_is_not_placed_again_when_it_has_begun(orders: UpscaleOrders, claims: Claims, parent: Job) -> None:
    orders.place(parent.id)
    claims.claim_next(UPSCALER, "cpu@1")

    orders.place(parent.id)

    assert claims.waiting(UPSCALER) == 0


def test_nothing_follows_a_job_that_did_not_ask_or_did_not_succeed(
    orders: UpscaleOrders, store: JobStore, claims: Claims, start_job: StartJob
) -> None:
    plain, running = start_job(), start_job(upscale=2)
    claims.succeed(plain, [])

    for job_id in (plain.id, running.id, "0" * 28):
        orders.place(job_id)

    assert claims.waiting(UPSCALER) == 0


def test_a_full_line_refuses_no_job_that_was_promised(
    client: Client, settings: Settings, wakeups: Wakeups, parent: Job, claims: Claims
) -> None:
    narrow = settings.model_copy(update={"max_waiting_per_key": 1, "max_waiting_per_model": 1})
    store = JobStore(client, narrow)
    store.enqueue("alice", parent.request.model_copy(update={"model": UPSCALER}))

    UpscaleOrders(store, wakeups).place(parent.id)

    assert claims.waiting(UPSCALER) == 2


def test_with_the_broker_down_it_is_owed_still(
    store: JobStore, unreachable: Wakeups, thumbnailer: Thumbnailer, client: Client, claims: Claims, parent: Job
) -> None:
    FollowUps(UpscaleOrders(store, unreachable), thumbnailer).follow_up(parent.id)

    assert client.zscore(keys.FOLLOWUPS(), parent.id) is not None
    assert claims.waiting(UPSCALER) == 1
