"""Names of queues and tasks, and which task goes where."""

from collections.abc import Mapping
from typing import Any

from darkroom.upscaling import UPSCALER

GENERATE = "darkroom.generate"
UPSCALE = "darkroom.upscale"
FOLLOW_UP = "darkroom.follow_up"

CPU_QUEUE = "cpu"
# For those CPU workers alone that have the network.
UPSCALE_QUEUE = "cpu.upscale"
GPU_PREFIX = "gpu."


def gpu_queue(model: str) -> str:
    return GPU_PREFIX + model


def model_of(queue: str) -> str | None:
    """The model whose wake-ups a queue carries; None for other queues."""
    return queue.removeprefix(GPU_PREFIX) if queue.startswith(GPU_PREFIX) else None


def wakeup_of(model: str) -> str:
    """The task that makes the next job of a model's line."""
    return UPSCALE if model == UPSCALER else GENERATE


def queue_of(task: str, kwargs: Mapping[str, Any]) -> str:
    """Wake-ups go to their model's queue, everything else to the CPU workers."""
    if task == GENERATE:
        return gpu_queue(kwargs["model"])
    return UPSCALE_QUEUE if task == UPSCALE else CPU_QUEUE
