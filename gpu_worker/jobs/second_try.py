"""Tells an error that will come again from one of the moment: by drawing once more, at once and in the same lane.

A job's images depend on its request alone, so what fails twice at the same place fails on every worker. Without this it
would go back in line, and keep two more lanes busy until the same place.
"""

import traceback
from collections.abc import Callable
from typing import TypeVar

import structlog
import torch

from darkroom.errors import GenerationFailed

log = structlog.get_logger()

# What drivers and their libraries call themselves in errors that are no AcceleratorError.
DEVICE_WORDS = ("CUDA", "cuDNN", "CUDNN", "CUBLAS", "NCCL", "MPS", "HIP", "device-side")

T = TypeVar("T")


def tried_twice(draw: Callable[[], T]) -> T:
    """Raises what the second try raises; a GenerationFailed that will come again says so."""
    try:
        return draw()
    except GenerationFailed as error:
        first = error.__cause__
        log.warning("job.drawn_again", error=type(first).__name__)
        place = _place(first)
    try:
        return draw()
    except GenerationFailed as error:
        error.comes_again = place is not None and _place(error.__cause__) == place
        raise


def _place(error: BaseException | None) -> tuple[type, str, int | None] | None:
    """Type, file and line. None for an error that may be the device's, which another worker's need not have."""
    if error is None or isinstance(error, torch.AcceleratorError | OSError | MemoryError):
        return None
    if isinstance(error, RuntimeError) and any(word in str(error) for word in DEVICE_WORDS):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    return (type(error), frames[-1].filename, frames[-1].lineno) if frames else None
