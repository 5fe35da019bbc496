"""A RabbitMQ that closes the channel of whoever holds a message for some seconds. (By default: for 30 minutes.)"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.jobs import JobState
from darkroom.local.embedded_redis import embedded_redis
from tests import servers
from tests.brokers.deployment import Deployment, deployment
from tests.eventually import eventually
from tests.servers import RabbitMQServer
from tests.services import missing

pytestmark = pytest.mark.rabbitmq

TIMEOUT_S = 3
CLOSED = "delivery acknowledgement on channel"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQServer]:
    binary = servers.rabbitmq_binary() or missing("No RabbitMQ: apt-get install rabbitmq-server.")
    # It looks once in a tick.
    more = {"consumer_timeout": 1000 * TIMEOUT_S, "channel_tick_interval": 500}
    server = servers.rabbitmq_server(binary, tmp_path_factory.mktemp("impatient"), more)
    server.port_mapper.start()
    try:
        server.process.start()
        yield server
    finally:
        server.process.stop()
        server.port_mapper.stop()


@pytest.fixture
def deployed(impatient: RabbitMQServer, tmp_path: Path) -> Iterator[Deployment]:
    (tmp_path / "store").mkdir()
    with (
        embedded_redis(tmp_path / "store") as url,
        deployment(
            tmp_path,
            {"DARKROOM_REDIS_URL": url, "DARKROOM_BROKER_URL": impatient.url, "DARKROOM_LANES": "2"},
        ) as deployed,
    ):
        yield deployed


def test_a_busy_period_several_times_as_long_closes_no_channel(deployed: Deployment) -> None:
    worker = deployed.gpu_worker()
    deployed.wait_for_workers("gpu")
    jobs = list[str]()
    until_s = time.monotonic() + 5 * TIMEOUT_S

    while time.monotonic() < until_s:
        jobs.append(deployed.post(seed=len(jobs)))
        eventually(lambda: deployed.upkeep.waiting("minilab") < 6, what="a shorter line")
        assert deployed.upkeep.waiting("minilab") > 0 or len(jobs) < 10

    ended = [deployed.wait_for_end(job_id) for job_id in jobs]
    assert {(job.state, job.attempt) for job in ended} == {(JobState.SUCCEEDED, 1)}
    assert CLOSED not in worker.said
    assert "Connection to broker lost" not in worker.said


def test_a_worker_whose_channel_was_closed_all_the_same_goes_on(
    deployed: Deployment, tmp_path: Path, repository: Path
) -> None:
    env = {"DARKROOM_TEST_FOLDER": str(tmp_path), "PYTHONPATH": str(repository)}
    worker = deployed.start("holding", "tests.brokers.holding", "worker", "--concurrency", "2", **env)
    deployed.app.send_task("hold", ["long"], queue="held")
    eventually((tmp_path / "long.began").exists, 60)

    eventually(lambda: CLOSED in worker.said or not worker.is_alive, 30, what="a channel that is closed")
    for name in ("long", "next"):
        (tmp_path / f"{name}.end").touch()
    deployed.app.send_task("hold", ["next"], queue="held")

    eventually((tmp_path / "next.began").exists, 30, what="a task after it")
    assert worker.is_alive
