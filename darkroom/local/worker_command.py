"""How a worker is started, by the carrier of its messages: the commands that its own users would give."""

import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from darkroom.errors import Misconfigured


@dataclass(frozen=True)
class WorkerCommand:
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """What it is told besides."""


def gpu_worker(queue: str, models: Sequence[str], name: str = "gpu") -> WorkerCommand:
    """Raises Misconfigured for models that cannot share a worker."""
    if queue != "arq":
        queues = ",".join(f"gpu.{model}" for model in models)
        return _celery_worker("gpu_worker.app", "-Q", queues, "-n", f"{name}@%h")
    if len(models) > 1:
        raise Misconfigured(f"An ARQ worker holds one model. Start one for each of {', '.join(models)}.")
    return _arq_worker("gpu_worker.arq_app", name, {"DARKROOM_GPU_MODELS": models[0]})


def cpu_worker(queue: str, name: str = "cpu") -> WorkerCommand:
    if queue == "arq":
        return _arq_worker("cpu_worker.arq_app", name, {})
    # Without -Q: also the queue of upscaling, where it can.
    return _celery_worker("cpu_worker.app", "-n", f"{name}@%h")


def celery(app: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", app, *arguments)


def _celery_worker(app: str, *arguments: str) -> WorkerCommand:
    return WorkerCommand(celery(app, "--quiet", "worker", *arguments))


def _arq_worker(module: str, name: str, environment: Mapping[str, str]) -> WorkerCommand:
    command = (sys.executable, "-m", "arq", f"{module}.WorkerSettings")
    return WorkerCommand(command, {**environment, "DARKROOM_WORKER_NAME": f"{name}@{socket.gethostname()}"})
