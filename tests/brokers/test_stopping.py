"""Workers that are stopped, paused or killed in the middle of a job."""

import signal
from collections.abc import Iterator

import pytest
import redis

from cpu_worker.housekeeping import Housekeeper
from darkroom.jobs import Job, JobState
from storage.opening import open_storage
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.workers import WorkerProcess
from tests.eventually import eventually
from tests.servers import RedisServer

pytestmark = pytest.mark.redis

# A second or two of work, in many short steps.
LONG = {"width": 128, "height": 128, "steps": 60}


@pytest.fixture(scope="module")
def deployed(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """No CPU worker runs here: rounds of housekeeping come when a test says so."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    env = {"DARKROOM_REDIS_URL": redis_server.url, "DARKROOM_LEASE_S": "1"}
    with deployment(tmp_path_factory.mktemp("stopping"), env) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def housekeeper(deployed: Deployment) -> Housekeeper:
    return Housekeeper(deployed.upkeep, open_storage(deployed.settings), deployed.wakeups)


def holder_of(job: Job, workers: list[WorkerProcess]) -> WorkerProcess:
    [holder] = [worker for worker in workers if f"{worker.name}@test" == job.worker]
    return holder


def keep_house_until_another_has_it(deployed: Deployment, housekeeper: Housekeeper, job: Job) -> None:
    def another_has_it() -> bool:
        housekeeper.keep_house()
        return deployed.store.get(job.id).worker not in {None, job.worker}

    eventually(another_has_it)


def test_a_worker_paused_past_its_lease_cannot_disturb_the_one_that_took_over(
    deployed: Deployment, housekeeper: Housekeeper
) -> None:
    workers = deployed.running("one", "other")
    started = deployed.wait_for_step(deployed.post(**LONG))
    paused = holder_of(started, workers)

    paused.send(signal.SIGSTOP)
    keep_house_until_another_has_it(deployed, housekeeper, started)
    paused.send(signal.SIGCONT)

    job = deployed.wait_for_end(started.id)
    eventually(lambda: "job.taken" in paused.said)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert job.worker != started.worker


def test_a_worker_killed_in_the_middle_of_a_job_costs_an_attempt_and_nothing_else(
    deployed: Deployment, housekeeper: Housekeeper
) -> None:
    workers = deployed.running("one", "other")
    started = deployed.wait_for_step(deployed.post(**LONG))
    victim = holder_of(started, workers)

    victim.send(signal.SIGKILL)

    assert victim.exit_code() == -signal.SIGKILL
    keep_house_until_another_has_it(deployed, housekeeper, started)
    job = deployed.wait_for_end(started.id)
    assert (job.state, job.attempt, len(job.images)) == (JobState.SUCCEEDED, 2, 1)
    changes = [event for event in deployed.events(job.id) if event != "step"]
    assert changes == ["started", "queued", "started", "succeeded"]


def test_a_job_that_outlasts_the_grace_period_is_given_back_and_continued_at_once(deployed: Deployment) -> None:
    other, hasty = deployed.running("other", "hasty", hasty={"DARKROOM_GRACE_S": "0.1"})
    other.send(signal.SIGSTOP)
    # Redis may hand the first wake-up to the worker that is paused.
    started = deployed.wait_for_step(deployed.post(**LONG, n=8, wakeups=2))
    assert started.worker == "hasty@test"
    other.send(signal.SIGCONT)

    hasty.send(signal.SIGTERM)

    # There is no housekeeper here: this is the job that was given back, by the wake-up that went with it.
    eventually(lambda: deployed.store.get(started.id).worker == "other@test", 20)
    assert deployed.store.get(started.id).attempt == 2
    assert hasty.exit_code() == 0
    assert "job.given_back" in hasty.said
    deployed.store.cancel(started.id)


def test_a_worker_told_to_stop_finishes_its_job_takes_no_other_and_ends_well(deployed: Deployment) -> None:
    [worker] = deployed.running("one", one={"DARKROOM_LANES": "1"})
    running, waiting = deployed.post(**LONG), deployed.post()
    deployed.wait_for_step(running)

    worker.send(signal.SIGTERM)

    assert worker.exit_code() == 0
    job = deployed.store.get(running)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    assert deployed.store.get(waiting).state is JobState.QUEUED
    assert "Traceback" not in worker.said
