"""Puts a whole service together: its servers, its processes, and a link from each process to each server."""

import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests import servers
from tests.brokers.deployment import settings_of
from tests.brokers.workers import FRUGAL, QUIET, celery
from tests.chaos.link import Link
from tests.chaos.pool import CRASH
from tests.chaos.service import Part, Service, Wire
from tests.servers import ServerProcess

LEASE_S = 3
HOUSEKEEPING_PERIOD_S = 1
MOST_ATTEMPTS = 5
REPOSITORY = Path(__file__).resolve().parent.parent.parent
SERVERS = {"DARKROOM_REDIS_URL": "redis", "DARKROOM_BROKER_URL": "rabbitmq", "DARKROOM_S3_ENDPOINT_URL": "s3"}


@asynccontextmanager
async def running_service(
    folder: Path, broker: str, without: Collection[str] = (), **settings: str
) -> AsyncIterator[Service]:
    """With images in an S3 store, and `broker` `redis` or `rabbitmq`. Logs stay below `folder`.

    `settings` have the names of the environment, and come before those that chaos needs.
    """
    service = _service(folder, broker, without, settings)
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


def _service(folder: Path, broker: str, without: Collection[str], given: Mapping[str, str]) -> Service:
    redis = servers.redis_server(_found(servers.redis_binary(), "redis-server"), _new(folder / "redis"))
    s3 = servers.s3_server(_found(servers.rclone_binary(), "rclone"), _new(folder / "s3"))
    parts = {"redis": Part(redis.process), "s3": Part(s3.process)}
    urls = {"DARKROOM_REDIS_URL": redis.url, "DARKROOM_S3_ENDPOINT_URL": s3.endpoint_url}
    port_mapper = None
    if broker == "rabbitmq":
        rabbitmq = servers.rabbitmq_server(_found(servers.rabbitmq_binary(), "rabbitmq-server"), _new(folder / broker))
        parts[broker], port_mapper = Part(rabbitmq.process), rabbitmq.port_mapper
        urls["DARKROOM_BROKER_URL"] = rabbitmq.url
    env = {
        **FRUGAL,
        **QUIET,
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": "2",  # so that a GPU worker runs two forwards at once
        "PYTHONPATH": str(REPOSITORY),
        "DARKROOM_DATA_DIR": str(folder / "data"),
        "DARKROOM_PORT": str(servers.free_port()),
        "DARKROOM_STORAGE": "s3",
        "DARKROOM_S3_ACCESS_KEY_ID": s3.access_key_id,
        "DARKROOM_S3_SECRET_ACCESS_KEY": s3.secret_access_key,
        "DARKROOM_S3_BUCKET": s3.bucket,
        "DARKROOM_LEASE_S": str(LEASE_S),
        "DARKROOM_HOUSEKEEPING_PERIOD_S": str(HOUSEKEEPING_PERIOD_S),
        "DARKROOM_GRACE_S": "10",
        "DARKROOM_LANES": "4",
        # More than usual: a job that loses three workers here may just be unlucky.
        "DARKROOM_MAX_ATTEMPTS": str(MOST_ATTEMPTS),
        "DARKROOM_TEST_CRASH_PROMPT": CRASH["prompt"],
        **given,
    }
    settings = settings_of({name: value for name, value in {**env, **urls}.items() if name.startswith("DARKROOM_")})
    wires: dict[str, Wire] = {}
    for name, command in _commands(folder).items():
        if name in without:
            continue
        own = {variable: _through_a_link(url, name, SERVERS[variable], wires) for variable, url in urls.items()}
        answers = _accepting(settings.port) if name == "api" else _at_once
        parts[name] = Part(ServerProcess(command, _new(folder / name), answers, env | own))
    return Service(settings, parts, wires, port_mapper)


def _through_a_link(url: str, part: str, server: str, wires: dict[str, Wire]) -> str:
    """The address by which `part` reaches a server, through a link of its own that is called `PART>SERVER`."""
    port = urlsplit(url).port
    if port is None:
        raise ValueError(f"{url} names no port")
    wire = wires.setdefault(f"{part}>{server}", Wire(Link(port)))
    return url.replace(f":{port}", f":{wire.link.port}")


def _commands(folder: Path) -> dict[str, Sequence[str]]:
    return {
        "api": [sys.executable, "-m", "api"],
        "gpu-1": celery("tests.brokers.crashing", "--quiet", "worker", "-n", "gpu-1@chaos"),
        "gpu-2": celery("tests.brokers.crashing", "--quiet", "worker", "-n", "gpu-2@chaos"),
        "cpu": celery("cpu_worker.app", "--quiet", "worker", "-n", "cpu@chaos"),
    }


def _accepting(port: int) -> Callable[[], bool]:
    return lambda: servers.accepts(port)


def _at_once() -> bool:
    """A worker is waited for by its jobs."""
    return True


def _found(binary: str | None, name: str) -> str:
    if binary is None:
        raise SystemExit(f"chaos: {name} is not installed here")
    return binary


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
