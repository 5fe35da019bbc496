"""What the local stack consists of: from settings to the processes to start. Starts nothing itself."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from darkroom.local.embedded_redis import redis_command
from darkroom.local.flower_access import FlowerAccess
from darkroom.local.processes.part import Part
from darkroom.local.running import url_of
from darkroom.local.worker_command import WorkerCommand, celery, cpu_worker, gpu_worker
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
        *_gpu_workers(settings, shared),
        _worker("cpu", cpu_worker(settings.queue), shared),
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


def flower_command(port: int) -> tuple[str, ...]:
    return celery("darkroom.app", "flower", "--address=127.0.0.1", f"--port={port}")


def _gpu_workers(settings: Settings, shared: Mapping[str, str]) -> Iterator[Part]:
    """One for all models, but on ARQ one for each."""
    if settings.queue != "arq" or len(settings.gpu_models) == 1:
        yield _worker("gpu", gpu_worker(settings.queue, settings.gpu_models), shared)
        return
    for model in settings.gpu_models:
        name = f"gpu-{model}"
        yield _worker(name, gpu_worker(settings.queue, [model], name), shared)


def _worker(name: str, start: WorkerCommand, shared: Mapping[str, str]) -> Part:
    return Part(name, start.command, {**shared, **start.environment})


def _reachable_url(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{host}:{settings.port}"


def _muted(environment: Mapping[str, str]) -> str:
    # Celery warns root at length, for workers that unpickle what the broker sends them; ours take JSON only.
    mute_root = "ignore:You're running the worker with superuser privileges"
    return ",".join(filter(None, (environment.get("PYTHONWARNINGS"), mute_root)))


def _told_to_all(settings: Settings, socket: Path) -> dict[str, str]:
    return {
        "DARKROOM_REDIS_URL": url_of(socket),
        "DARKROOM_DATA_DIR": str(settings.data_dir.resolve()),
        "DARKROOM_HOST": settings.host,
        "DARKROOM_PORT": str(settings.port),
        "DARKROOM_QUEUE": settings.queue,
        "PYTHONUNBUFFERED": "1",
        # Said once here, so that no tokenizer warns of threads that were there before a fork.
        "TOKENIZERS_PARALLELISM": "false",
    }
