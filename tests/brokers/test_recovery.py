"""Workers whose Redis, job store and broker in one, is not there yet, goes away, and comes back."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from darkroom.jobs import JobState
from tests import servers
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.workers import WorkerProcess
from tests.eventually import eventually
from tests.servers import RedisServer
from tests.services import missing

pytestmark = pytest.mark.redis

# A second or two of work, in many short steps.
LONG = {"width": 128, "height": 128, "steps": 60}


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
    with deployment(tmp_path_factory.mktemp("recovery"), {"DARKROOM_REDIS_URL": server.url}) as deployed:
        worker = deployed.gpu_worker()
        eventually(lambda: "Cannot connect" in worker.said, 60, what="a worker that found no broker")
        server.process.start()
        yield Lonely(deployed, worker, server)
    server.process.stop()


def test_a_worker_waits_for_a_broker_that_is_not_there_yet(lonely: Lonely) -> None:
    job_id = lonely.deployed.post()

    assert lonely.deployed.wait_for_end(job_id).state is JobState.SUCCEEDED


def test_an_idle_worker_goes_on_after_redis_was_killed_and_came_back(lonely: Lonely) -> None:
    lonely.redis.process.kill()
    lonely.redis.process.start()

    job_id = lonely.deployed.post()

    assert lonely.deployed.wait_for_end(job_id).state is JobState.SUCCEEDED
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
