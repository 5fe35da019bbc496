"""What the local stack consists of: from settings to the processes to start. Starts nothing itself."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from darkroom.local.embedded_redis import redis_command
from darkroom.local.flower_access import FlowerAccess
from darkroom.local.processes.part import Part
from darkroom.settings import Settings


@dataclass(frozen=True)
class Stack:
    parts: tuple[Part, ...]
    redis_socket: Path
    url: str  # where this machine reaches the API


def local_stack(
    settings: Settings, environment: Mapping[str, str], socket: Path, flower: FlowerAccess | None = None
) -> Stack:
    """`socket` is where Redis will listen: a short path, as the system wants it."""
    shared = {**environment, **_told_to_all(settings, socket), "PYTHONWARNINGS": _muted(environment)}
    if flower is not None:
        shared["DARKROOM_FLOWER"] = "true"
    parts = [
        Part(
            "redis",
            tuple(redis_command(redis_dir(settings), socket, max_bytes=settings.redis_max_bytes)),
            environment,
            is_foundation=True,
        ),
        Part("api", api_command(), shared | _shown_on_the_page(flower)),
        Part("gpu", gpu_worker_command(settings.gpu_models), shared),
        Part("cpu", cpu_worker_command(), shared),
    ]
    if flower is not None:
        parts.append(Part("flower", flower_command(flower.port), {**shared, "FLOWER_BASIC_AUTH": flower.credentials}))
    return Stack(tuple(parts), socket, _reachable_url(settings))


def _shown_on_the_page(flower: FlowerAccess | None) -> dict[str, str]:
    return {} if flower is None else {"DARKROOM_FLOWER_URL": flower.url}


def redis_dir(settings: Settings) -> Path:
    return settings.data_dir / "redis"


def api_command() -> tuple[str, ...]:
    return (sys.executable, "-m", "api")


def gpu_worker_command(models: Sequence[str], name: str = "gpu") -> tuple[str, ...]:
    queues = ",".join(f"gpu.{model}" for model in models)
    return _worker("gpu_worker.app", "-Q", queues, "-n", f"{name}@%h")


def cpu_worker_command(name: str = "cpu") -> tuple[str, ...]:
    # Without -Q: also the queue of upscaling, where it can.
    return _worker("cpu_worker.app", "-n", f"{name}@%h")


def flower_command(port: int) -> tuple[str, ...]:
    return _celery("darkroom.app", "flower", "--address=127.0.0.1", f"--port={port}")


def _worker(app: str, *arguments: str) -> tuple[str, ...]:
    return _celery(app, "--quiet", "worker", *arguments)


def _celery(app: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", app, *arguments)


def _reachable_url(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{host}:{settings.port}"


def _muted(environment: Mapping[str, str]) -> str:
    # Celery warns root at length, for workers that unpickle what the broker sends them; ours take JSON only.
    mute_root = "ignore:You're running the worker with superuser privileges"
    return ",".join(filter(None, (environment.get("PYTHONWARNINGS"), mute_root)))


def _told_to_all(settings: Settings, socket: Path) -> dict[str, str]:
    return {
        "DARKROOM_REDIS_URL": f"unix://{socket}?db=0",
        "DARKROOM_DATA_DIR": str(settings.data_dir.resolve()),
        "DARKROOM_HOST": settings.host,
        "DARKROOM_PORT": str(settings.port),
        "PYTHONUNBUFFERED": "1",
        # Said once here, so that no tokenizer warns of threads that were there before a fork.
        "TOKENIZERS_PARALLELISM": "false",
    }
