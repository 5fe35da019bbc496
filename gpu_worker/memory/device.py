"""A device's memory: what running out of it looks like, how much is free, and how much a forward takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

# CUDA has an exception of its own for it; the CPU and Apple's GPU only have words.
WORDS = ("can't allocate memory", "out of memory")
# Of the free memory, what is left to fragments between blocks, and to what libraries allocate by themselves.
SLACK = 0.05


def is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)
    )


def free_memory() -> None:
    """Give back what the allocator keeps in blocks of the wrong size."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@dataclass(frozen=True)
class Peak:
    """Most memory that forwards of one shape take beside the weights, as a line over their rows."""

    fixed_bytes: int = 0
    row_bytes: int = 0

    def of(self, rows: int) -> int:
        return self.fixed_bytes + self.row_bytes * rows


# Of what was not measured: it holds nobody back.
UNKNOWN = Peak()


def peak_through(measured: dict[int, int]) -> Peak:
    """The line through the smallest and the largest number of rows that were measured, in bytes."""
    if not measured:
        return UNKNOWN
    least, most = min(measured), max(measured)
    if least == most:
        return Peak(0, -(-measured[least] // least))
    row_bytes = max(0, -(-(measured[most] - measured[least]) // (most - least)))
    return Peak(max(0, measured[most] - row_bytes * most), row_bytes)


class Memory(Protocol):
    def free_bytes(self) -> int | None:
        """For lanes and forwards, now that nothing runs. None: nothing is known, and nothing is held back."""

    def taken_by(self, forward: Callable[[], object]) -> int:
        """Runs the forward. The most bytes that it held at once, beside what was held before."""


class UnknownMemory:
    """The CPU's and Apple's: shared with all other programs, so that what is free now says little."""

    def free_bytes(self) -> int | None:
        return None

    def taken_by(self, forward: Callable[[], object]) -> int:
        forward()
        return 0


class CudaMemory:
    def __init__(self, device: str) -> None:
        self._device = device

    def free_bytes(self) -> int | None:
        torch.cuda.synchronize(self._device)
        torch.cuda.empty_cache()
        free, total = torch.cuda.mem_get_info(self._device)
        # What the allocator could not give back is free for us all the same.
        kept = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return max(0, int(free + kept - SLACK * total))

    def taken_by(self, forward: Callable[[], object]) -> int:
        torch.cuda.synchronize(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        forward()
        torch.cuda.synchronize(self._device)
        return torch.cuda.max_memory_allocated(self._device) - before


def memory_of(device: str) -> Memory:
    return CudaMemory(device) if device.startswith("cuda") else UnknownMemory()
