"""Workers on ARQ that are told to leave, are killed, or lose their Redis, while they have jobs."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cpu_worker.housekeeping import Housekeeper
from darkroom.jobs import JobState
from storage.opening import open_storage
from tests import servers
from tests.arq.conftest import Deploy
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.workers import WorkerProcess
from tests.eventually import eventually
from tests.servers import RedisServer
from tests.services import missing

pytestmark = pytest.mark.redis

# A second or two of work, in many short steps.
LONG = {"width": 128, "height": 128, "steps": 60}
# Many seconds of it.
VERY_LONG = {**LONG, "n": 8}


@pytest.fixture(scope="module")
def deployed(arq_deployment: Deploy) -> Deployment:
    """No CPU worker runs here: rounds of housekeeping come when a test says so."""
    return arq_deployment(DARKROOM_LEASE_S="2")


@pytest.fixture(scope="module")
def housekeeper(deployed: Deployment) -> Housekeeper:
    return Housekeeper(deployed.upkeep, open_storage(deployed.settings), deployed.wakeups)


def test_a_worker_killed_in_the_middle_of_a_job_costs_an_attempt_and_nothing_else(
    deployed: Deployment, housekeeper: Housekeeper
) -> None:
    workers = deployed.running("one", "other")
    started = deployed.wait_for_step(deployed.post(**LONG))
    [victim] = [worker for worker in workers if f"{worker.name}@test" == started.worker]

    victim.send(signal.SIGKILL)
    victim.exit_code()

    def another_has_it() -> bool:
        housekeeper.keep_house()
        return deployed.store.get(started.id).worker not in {None, started.worker}

    eventually(another_has_it)
    job = deployed.wait_for_end(started.id)
    assert (job.state, job.attempt, len(job.images)) == (JobState.SUCCEEDED, 2, 1)
    assert deployed.wakeups.pending("minilab") == 0


def test_a_worker_told_to_stop_finishes_its_job_takes_no_other_and_ends_well(deployed: Deployment) -> None:
    [worker] = deployed.running("single", single={"DARKROOM_LANES": "1"})
    running, waiting = deployed.post(**LONG), deployed.post()
    deployed.wait_for_step(running)

    worker.send(signal.SIGTERM)

    assert worker.exit_code() == 0
    job = deployed.store.get(running)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    assert deployed.store.get(waiting).state is JobState.QUEUED
    assert deployed.wakeups.pending("minilab") == 1
    assert "Traceback" not in worker.said
    deployed.store.cancel(waiting)


def test_a_job_that_outlasts_the_grace_period_is_given_back_and_continued_at_once(deployed: Deployment) -> None:
    [hasty] = deployed.running("hasty", hasty={"DARKROOM_GRACE_S": "0.1"})
    started = deployed.wait_for_step(deployed.post(**VERY_LONG))
    deployed.running("hasty", "other")

    hasty.send(signal.SIGTERM)

    # There is no housekeeper here: this is the job that was given back, by the wake-up that went with it.
    eventually(lambda: deployed.store.get(started.id).worker == "other@test", 20)
    assert deployed.store.get(started.id).attempt == 2
    assert hasty.exit_code() == 0
    assert "job.given_back" in hasty.said
    deployed.store.cancel(started.id)


def test_told_twice_a_worker_gives_its_jobs_back_at_once(deployed: Deployment) -> None:
    [worker] = deployed.running("one")
    started = deployed.wait_for_step(deployed.post(**VERY_LONG))

    worker.send(signal.SIGTERM)
    eventually(lambda: "worker.draining" in worker.said)
    worker.send(signal.SIGTERM)

    assert worker.exit_code(20) == 0, worker.said
    assert deployed.store.get(started.id).state is JobState.QUEUED
    deployed.store.cancel(started.id)


@dataclass(frozen=True)
class Lonely:
    """A worker that was started before its Redis."""

    deployed: Deployment
    worker: WorkerProcess
    redis: RedisServer


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lonely]:
    binary = servers.redis_binary() or missing("No redis-server on the PATH: apt-get install redis-server.")
    server = servers.redis_server(binary, tmp_path_factory.mktemp("redis"))
    env = {"DARKROOM_REDIS_URL": server.url, "DARKROOM_QUEUE": "arq"}
    with deployment(tmp_path_factory.mktemp("lonely"), env) as deployed:
        worker = deployed.gpu_worker()
        eventually(lambda: "broker.away" in worker.said, 60, what="a worker that found no broker")
        server.process.start()
        deployed.wait_for_workers("gpu")
        yield Lonely(deployed, worker, server)
    server.process.stop()


def test_a_worker_waits_for_a_broker_that_is_not_there_yet(lonely: Lonely) -> None:
    assert lonely.deployed.wait_for_end(lonely.deployed.post()).state is JobState.SUCCEEDED


def test_an_idle_worker_goes_on_after_redis_was_killed_and_came_back(lonely: Lonely) -> None:
    for _ in range(3):  # wherever its look at the queue is interrupted
        lonely.redis.process.kill()
        lonely.redis.process.start()

        assert lonely.deployed.wait_for_end(lonely.deployed.post()).state is JobState.SUCCEEDED
    assert lonely.worker.is_alive


def test_a_job_that_runs_while_redis_is_away_is_not_made_again(lonely: Lonely) -> None:
    job_id = lonely.deployed.post(**LONG)
    lonely.deployed.wait_for_step(job_id, 5)

    lonely.redis.process.kill()
    eventually(lambda: "job.progress_lost" in lonely.worker.said)
    lonely.redis.process.start()

    job = lonely.deployed.wait_for_end(job_id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    assert lonely.worker.is_alive


def test_a_worker_told_to_stop_while_redis_is_away_ends_soon(lonely: Lonely) -> None:
    lonely.redis.process.kill()

    lonely.worker.send(signal.SIGTERM)

    assert lonely.worker.exit_code(15) == 0, lonely.worker.said
