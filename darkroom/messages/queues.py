"""Names of queues and tasks, and which task goes where."""

from collections.abc import Mapping
from typing import Any

GENERATE = "darkroom.generate"
FOLLOW_UP = "darkroom.follow_up"

CPU_QUEUE = "cpu"
GPU_PREFIX = "gpu."


def gpu_queue(model: str) -> str:
    return GPU_PREFIX + model


def model_of(queue: str) -> str | None:
    """The model whose wake-ups a queue carries; None for other queues."""
    return queue.removeprefix(GPU_PREFIX) if queue.startswith(GPU_PREFIX) else None


def queue_of(task: str, kwargs: Mapping[str, Any]) -> str:
    """Wake-ups go to their model's queue, everything else to the CPU workers."""
    return gpu_queue(kwargs["model"]) if task == GENERATE else CPU_QUEUE
