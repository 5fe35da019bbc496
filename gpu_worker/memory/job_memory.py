"""What a job takes of the device's memory, told from what the warm-up's one image took."""

from dataclasses import dataclass
from typing import Protocol

from gpu_worker.memory.budget import Need
from gpu_worker.memory.device import Peak

# What a lane holds between forwards, in copies of its step's arguments: these, what the network made of them, latents
# in full precision, and the last two or three outputs, which multistep schedulers keep.
COPIES_HELD = 5


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
