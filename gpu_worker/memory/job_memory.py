"""What a job takes of the device's memory, told from what the warm-up's one image took; and who is let in by that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from darkroom.errors import OutOfMemory
from gpu_worker.memory.budget import MemoryBudget, Need
from gpu_worker.memory.device import Peak

# What a lane holds between forwards, in copies of its step's arguments: these, what the network made of them, latents
# in full precision, and the last two or three outputs, which multistep schedulers keep.
COPIES_HELD = 5
GIB = 2**30


class Drawing(Protocol):
    """The part of a request that memory depends on."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def n(self) -> int: ...


@dataclass(frozen=True)
class MeasuredForward:
    """Of the warm-up: one of its networks' calls."""

    rows: int
    peak: Peak
    argument_bytes: int
    is_step: bool
    grows: bool
    """With the image's size. Prompts do not."""


@dataclass(frozen=True)
class JobMemory:
    """Of a model. `pixels` are the warm-up image's."""

    pixels: int
    forwards: tuple[MeasuredForward, ...]

    def of(self, drawing: Drawing, images_read: int = 0) -> Need:
        """In proportion to pixels and images, which is the least it can be: attention may grow faster.

        `images_read` beside each one that is drawn, as editors do, count as much as it.
        """
        size = drawing.width * drawing.height * (1 + images_read) / self.pixels
        held = sum(forward.argument_bytes for forward in self.forwards if forward.is_step)
        return Need(
            held_bytes=int(COPIES_HELD * held * drawing.n * max(1.0, size)),
            forward_bytes=max((_bytes(forward, drawing.n, size) for forward in self.forwards), default=0),
        )


def _bytes(forward: MeasuredForward, images: int, size: float) -> int:
    return int(forward.peak.of(forward.rows * images) * (size if forward.grows else 1))


class Gate:
    """Lets a job into its lane when the device has memory for it, and tells at once the one that can never fit.

    Of one model. Open to all until the warm-up has found what the model's jobs take.
    """

    def __init__(self, memory_budget: MemoryBudget) -> None:
        self._memory_budget = memory_budget
        self._job_memory: JobMemory | None = None

    def know(self, job_memory: JobMemory) -> None:
        self._job_memory = job_memory

    @contextmanager
    def passed(self, drawing: Drawing, check: Callable[[], None], images_read: int = 0) -> Iterator[None]:
        """Raises OutOfMemory for what is too large for the device, and what `check` raises while the job waits."""
        if self._job_memory is None:
            yield
            return
        need = self._job_memory.of(drawing, images_read)
        if not self._memory_budget.is_enough_for(need):
            raise _too_large(drawing, need)
        with self._memory_budget.taken(need, check):
            yield


def _too_large(drawing: Drawing, need: Need) -> OutOfMemory:
    return OutOfMemory(
        f"{drawing.n} image(s) of {drawing.width}x{drawing.height} take about "
        f"{(need.held_bytes + need.forward_bytes) / GIB:.1f} GiB, more than this worker's device has. "
        "Ask for a smaller size or fewer images."
    )
