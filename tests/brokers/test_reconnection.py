"""Workers whose connection to RabbitMQ is cut while they have jobs."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from darkroom.jobs import JobState
from darkroom.local.embedded_redis import embedded_redis
from tests.brokers.deployment import Deployment, deployment
from tests.chaos.link import Link
from tests.eventually import eventually
from tests.servers import RabbitMQServer

pytestmark = pytest.mark.rabbitmq

# Some seconds of work.
LONG = {"width": 128, "height": 128, "steps": 100, "n": 4}
LOST = "Connection to broker lost"
LESS = "Temporarily reducing the prefetch count"


class Wire:
    """A link in an event loop of its own."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._link = Link(port)
        self._do(self._link.open())

    @property
    def port(self) -> int:
        return self._link.port

    def cut(self) -> None:
        self._do(self._link.cut())

    def heal(self) -> None:
        self._do(self._link.heal())

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _do(self, act: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(act, self._loop).result(timeout=10)


@pytest.fixture
def wire(rabbitmq_server: RabbitMQServer) -> Iterator[Wire]:
    wire = Wire(urlsplit(rabbitmq_server.url).port or 0)
    yield wire
    wire.close()


@pytest.fixture
def deployed(rabbitmq_server: RabbitMQServer, wire: Wire, tmp_path: Path) -> Iterator[Deployment]:
    url = rabbitmq_server.url.replace(str(urlsplit(rabbitmq_server.url).port), str(wire.port))
    (tmp_path / "store").mkdir()
    with (
        embedded_redis(tmp_path / "store") as redis_url,
        deployment(tmp_path, {"DARKROOM_REDIS_URL": redis_url, "DARKROOM_BROKER_URL": url}) as deployed,
    ):
        yield deployed


def test_a_worker_takes_as_many_jobs_as_before(deployed: Deployment, wire: Wire) -> None:
    worker = deployed.gpu_worker()
    deployed.wait_for_workers("gpu")
    running = deployed.post(**LONG)
    deployed.wait_for_step(running)

    wire.cut()
    eventually(lambda: LOST in worker.said, what="a worker that has noticed")
    wire.heal()
    eventually(lambda: "Connected to" in worker.said.partition(LOST)[2], what="a worker that is back")

    assert deployed.store.get(running).state is JobState.RUNNING, "the job under way was too short"
    assert [deployed.wait_for_end(deployed.post()).state for _ in range(6)] == [JobState.SUCCEEDED] * 6
    assert deployed.wait_for_end(running).attempt == 1
    assert LESS not in worker.said
