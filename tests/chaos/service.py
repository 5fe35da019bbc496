"""The whole service as processes that can be hurt one by one, each started again, as a supervisor would."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.settings import Settings
from tests import servers
from tests.brokers.deployment import settings_of
from tests.brokers.workers import BARE, FRUGAL, QUIET, celery
from tests.chaos.schedule import Blow, Fault
from tests.servers import ServerProcess

LEASE_S = 3
HOUSEKEEPING_PERIOD_S = 1
SUPERVISED_EVERY_S = 0.5


@dataclass
class Part:
    """`held` is taken by whoever hurts it, so that two faults on one part come one after the other."""

    process: ServerProcess
    held: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended_by_itself: int = 0


@dataclass(frozen=True)
class Struck:
    fault: Fault
    at: float
    """Seconds since the epoch."""


class Service:
    def __init__(self, settings: Settings, parts: dict[str, Part], port_mapper: ServerProcess | None) -> None:
        self.settings = settings
        self.parts = parts
        self.struck: list[Struck] = []
        self._port_mapper = port_mapper

    @property
    def url(self) -> str:
        return self.settings.public_base_url

    async def start(self) -> None:
        if self._port_mapper:
            await asyncio.to_thread(self._port_mapper.start)
        for part in self.parts.values():
            await asyncio.to_thread(part.process.start)

    def stop(self) -> None:
        """Nothing is left to be lost: the oracle has spoken."""
        for part in reversed(self.parts.values()):
            part.process.kill()
        if self._port_mapper:
            self._port_mapper.kill()

    async def strike(self, fault: Fault) -> None:
        for number, name in enumerate(fault.parts):
            part = self.parts[name]
            async with part.held:
                if number == 0:
                    self.struck.append(Struck(fault, time.time()))
                await _hurt(part.process, fault)

    async def supervise(self) -> None:
        """Starts again what ended without being asked to, until canceled."""
        while True:
            await asyncio.sleep(SUPERVISED_EVERY_S)
            for part in self.parts.values():
                if part.process.has_ended and not part.held.locked():
                    async with part.held:
                        part.ended_by_itself += 1
                        await asyncio.to_thread(part.process.start)


async def _hurt(process: ServerProcess, fault: Fault) -> None:
    match fault.blow:
        case Blow.KILL:
            await asyncio.to_thread(process.kill)
            await asyncio.sleep(fault.for_s)
            await asyncio.to_thread(process.start)
        case Blow.PAUSE:
            process.pause()
            try:
                await asyncio.sleep(fault.for_s)
            finally:
                process.resume()
        case Blow.RESTART:
            await asyncio.to_thread(process.stop)
            await asyncio.to_thread(process.start)


@asynccontextmanager
async def running_service(folder: Path, broker: str) -> AsyncIterator[Service]:
    """With images in an S3 store, and `broker` `redis` or `rabbitmq`. Logs stay below `folder`."""
    service = _service(folder, broker)
    try:
        await service.start()
        yield service
    finally:
        service.stop()


def _service(folder: Path, broker: str) -> Service:
    redis = servers.redis_server(_found(servers.redis_binary(), "redis-server"), _new(folder / "redis"))
    s3 = servers.s3_server(_found(servers.rclone_binary(), "rclone"), _new(folder / "s3"))
    parts = {"redis": Part(redis.process), "s3": Part(s3.process)}
    env = {
        **FRUGAL,
        **QUIET,
        "OMP_WAIT_POLICY": "PASSIVE",
        "DARKROOM_DATA_DIR": str(folder / "data"),
        "DARKROOM_REDIS_URL": redis.url,
        "DARKROOM_PORT": str(servers.free_port()),
        "DARKROOM_STORAGE": "s3",
        "DARKROOM_S3_ENDPOINT_URL": s3.endpoint_url,
        "DARKROOM_S3_ACCESS_KEY_ID": s3.access_key_id,
        "DARKROOM_S3_SECRET_ACCESS_KEY": s3.secret_access_key,
        "DARKROOM_S3_BUCKET": s3.bucket,
        "DARKROOM_LEASE_S": str(LEASE_S),
        "DARKROOM_HOUSEKEEPING_PERIOD_S": str(HOUSEKEEPING_PERIOD_S),
        "DARKROOM_GRACE_S": "10",
        "DARKROOM_LANES": "4",
        # A job that loses three workers here is unlucky, not dangerous.
        "DARKROOM_MAX_ATTEMPTS": "50",
    }
    port_mapper = None
    if broker == "rabbitmq":
        rabbitmq = servers.rabbitmq_server(_found(servers.rabbitmq_binary(), "rabbitmq-server"), _new(folder / broker))
        parts[broker], port_mapper = Part(rabbitmq.process), rabbitmq.port_mapper
        env["DARKROOM_BROKER_URL"] = rabbitmq.url
    settings = settings_of({name: value for name, value in env.items() if name.startswith("DARKROOM_")})
    for name, command in _commands(folder).items():
        answers = _accepting(settings.port) if name == "api" else _at_once
        parts[name] = Part(ServerProcess(command, _new(folder / name), answers, env))
    return Service(settings, parts, port_mapper)


def _commands(folder: Path) -> dict[str, Sequence[str]]:
    schedule = str(folder / "celerybeat-schedule")
    return {
        "api": [sys.executable, "-m", "api"],
        "gpu-1": celery("gpu_worker.app", "--quiet", "worker", *BARE, "-n", "gpu-1@chaos"),
        "gpu-2": celery("gpu_worker.app", "--quiet", "worker", *BARE, "-n", "gpu-2@chaos"),
        "cpu": celery("cpu_worker.app", "--quiet", "worker", *BARE, "-B", "-s", schedule, "-n", "cpu@chaos"),
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
