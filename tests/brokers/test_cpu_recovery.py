"""A CPU worker that waits for storage when its Redis is killed."""

import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.jobs import JobState, StoredImage
from storage.keys import image_key
from tests import servers
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.workers import WorkerProcess
from tests.eventually import eventually
from tests.servers import RedisServer
from tests.services import missing

pytestmark = pytest.mark.redis


@dataclass(frozen=True)
class Hung:
    """Its worker has a thumbnail to make, and storage took its connection and says nothing."""

    deployed: Deployment
    worker: WorkerProcess
    redis: RedisServer


@pytest.fixture
def hung(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hung]:
    binary = servers.redis_binary() or missing("No redis-server on the PATH: apt-get install redis-server.")
    server = servers.redis_server(binary, tmp_path_factory.mktemp("redis"))
    server.process.start()
    folder = tmp_path_factory.mktemp("recovery")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        env = {
            "DARKROOM_REDIS_URL": server.url,
            "DARKROOM_STORAGE": "s3",
            "DARKROOM_S3_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "DARKROOM_S3_ACCESS_KEY_ID": "a" * 20,
            "DARKROOM_S3_SECRET_ACCESS_KEY": "b" * 40,
            "DARKROOM_HOUSEKEEPING_PERIOD_S": "1",
        }
        with deployment(folder, env) as deployed:
            worker = deployed.cpu_worker("cpu")
            deployed.wait_for_workers("cpu")
            succeed(deployed)
            connection, _ = silent.accept()
            yield Hung(deployed, worker, server)
            worker.send(signal.SIGKILL)  # asked to stop, it would wait for storage
            connection.close()
    server.process.stop()


def succeed(deployed: Deployment) -> None:
    job_id = deployed.post(wakeups=0)
    claims = Claims(deployed.client, deployed.settings)
    job = claims.claim_next("minilab", "gpu@test")
    assert job
    key = image_key(job_id, 0, "png")
    picture = {"key": key, "content_type": "image/png", "width": 64, "height": 64, "bytes": 9, "sha256": "ab"}
    claims.succeed(job, [StoredImage(index=0, seed=7, **picture)])
    deployed.wakeups.follow_up(job_id)


def test_it_goes_on_keeping_house(hung: Hung) -> None:
    hung.redis.process.kill()
    eventually(lambda: "Connection to broker lost" in hung.worker.said)
    hung.redis.process.start()

    lost = hung.deployed.post(wakeups=0)
    Claims(hung.deployed.client, hung.deployed.settings).claim_next("minilab", "gpu@test")
    hung.deployed.client.zadd(keys.LEASES(), {lost: 1})

    eventually(lambda: hung.deployed.store.get(lost).state is JobState.QUEUED, 30, what="the lost job back in line")
    assert hung.worker.is_alive
