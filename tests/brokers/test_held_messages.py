"""Messages that a worker holds, one for each of its threads, and what becomes of them when its broker is killed."""

import signal
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from tests import servers
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.workers import WorkerProcess
from tests.eventually import eventually
from tests.servers import RedisServer
from tests.services import missing

LANES = 3
LOST = "Connection to broker lost"


class Holding:
    """A worker's tasks, by name."""

    def __init__(self, deployed: Deployment, folder: Path, repository: Path) -> None:
        self._deployed = deployed
        self._folder = folder
        env = {"DARKROOM_TEST_FOLDER": str(folder), "PYTHONPATH": str(repository)}
        arguments = ("worker", "--loglevel", "info", "--concurrency", str(LANES))
        self.worker: WorkerProcess = deployed.start("holding", "tests.brokers.holding", *arguments, **env)
        eventually(lambda: "ready." in self.worker.said, 60, what="a worker")

    @property
    def app(self) -> Celery:
        return self._deployed.app

    def send(self, *names: str) -> None:
        for name in names:
            self.app.send_task("hold", [name], queue="held")

    def end(self, *names: str) -> None:
        for name in names:
            (self._folder / f"{name}.end").touch()

    def wait_for(self, *names: str) -> None:
        eventually(lambda: all((self._folder / f"{name}.began").exists() for name in names), 30, what=f"{names}")

    def began_at_s(self, name: str) -> float:
        return float((self._folder / f"{name}.began").read_text())

    def ended_at_s(self, name: str) -> float:
        return (self._folder / f"{name}.end").stat().st_mtime

    def left(self) -> int:
        """Messages that wait, those that nobody acknowledged among them."""
        with self.app.connection_for_read() as connection, connection.channel() as channel:
            return int(channel.queue_declare("held", passive=True).message_count)

    def purge(self) -> int:
        """How many messages are thrown away."""
        with self.app.connection_for_write() as connection, connection.channel() as channel:
            return int(channel.queue_purge("held"))


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[RedisServer]:
    server = servers.redis_server(
        servers.redis_binary() or missing("No redis-server on the PATH: apt-get install redis-server."), tmp_path
    )
    server.process.start()
    yield server
    server.process.stop()


@pytest.fixture
def holding_on_redis(killable: RedisServer, tmp_path: Path, repository: Path) -> Iterator[Holding]:
    with deployment(tmp_path, {"DARKROOM_REDIS_URL": killable.url}) as deployed:
        yield Holding(deployed, tmp_path, repository)


@pytest.fixture
def holding(broker_env: dict[str, str], tmp_path: Path, repository: Path) -> Iterator[Holding]:
    with deployment(tmp_path, broker_env) as deployed:
        held = Holding(deployed, tmp_path, repository)
        yield held
        # What is left would take a thread from the test that comes next.
        held.purge()


@pytest.mark.redis
@pytest.mark.parametrize("held", [1, LANES], ids=["while_it_asks_for_more", "with_every_thread_busy"])
def test_a_worker_that_holds_messages_goes_on_after_redis_was_killed(
    held: int, holding_on_redis: Holding, killable: RedisServer
) -> None:
    holding, names = holding_on_redis, [f"held-{number}" for number in range(held)]
    holding.send(*names)
    holding.wait_for(*names)

    killable.process.kill()
    eventually(lambda: LOST in holding.worker.said or not holding.worker.is_alive)
    killable.process.start()
    holding.end(*names)

    more = [f"more-{number}" for number in range(2 * LANES)]
    holding.end(*more)
    holding.send(*more)
    holding.wait_for(*more)
    assert holding.worker.is_alive
    assert "Traceback" not in holding.worker.said.partition(LOST)[2]


def test_a_thread_that_becomes_free_has_its_next_message_at_once(holding: Holding) -> None:
    names = [f"held-{number}" for number in range(LANES + 9)]
    holding.send(*names)
    holding.wait_for(*names[:LANES])
    waited_ms = []

    for ended, following in zip(names, names[LANES:], strict=False):
        holding.end(ended)
        holding.wait_for(following)
        waited_ms.append(1000 * (holding.began_at_s(following) - holding.ended_at_s(ended)))

    holding.end(*names)
    # One of them may be late for reasons of the machine. Looked for once a second, half of them would be.
    assert statistics.median(waited_ms) < 50


def test_a_worker_that_stops_has_acknowledged_what_it_did_and_nothing_else(holding: Holding) -> None:
    names = [f"held-{number}" for number in range(LANES + 1)]
    holding.send(*names)
    holding.wait_for(*names[:LANES])

    holding.worker.send(signal.SIGTERM)
    eventually(lambda: "Warm shutdown" in holding.worker.said)
    holding.end(*names[:LANES])

    assert holding.worker.exit_code() == 0
    assert holding.left() == 1


def test_celery_s_commands_see_what_runs_and_can_put_an_end_to_it(holding: Holding) -> None:
    names = [f"held-{number}" for number in range(LANES + 2)]
    holding.send(*names)
    holding.wait_for(*names[:LANES])
    control, inspect = holding.app.control, holding.app.control.inspect(timeout=2)

    assert [answer["ok"] for node in control.ping(timeout=2) for answer in node.values()] == ["pong"]
    [active] = inspect.active().values()
    assert {task["args"][0] for task in active} == set(names[:LANES])
    assert list(inspect.reserved().values()) == [[]], "a worker takes no more than it has threads"
    assert holding.purge() == 2

    control.cancel_consumer("held", reply=True, timeout=2)
    holding.end(*names)
    holding.send("unheard")
    eventually(lambda: not any(inspect.active().values()))
    assert holding.left() == 1

    control.shutdown()
    assert holding.worker.exit_code() == 0
    assert holding.left() == 1
