"""Lets a job into its lane when the device has memory for it, and tells at once the one that can never fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from darkroom.errors import OutOfMemory
from gpu_worker.memory.budget import Headroom, Need
from gpu_worker.memory.job_memory import Drawing, Footprint

GIB = 2**30


@dataclass(frozen=True)
class Smaller:
    """A drawing like another, but smaller."""

    width: int
    height: int
    n: int


class Gate:
    """Of one model. Open to all until the warm-up has found what the model's jobs take."""

    def __init__(self, headroom: Headroom) -> None:
        self._headroom = headroom
        self._footprint: Footprint | None = None

    def know(self, footprint: Footprint) -> None:
        self._footprint = footprint

    @contextmanager
    def passed(self, drawing: Drawing, check: Callable[[], None]) -> Iterator[None]:
        """Raises OutOfMemory for what is too large for the device, and what `check` raises while the job waits."""
        if self._footprint is None:
            yield
            return
        need = self._footprint.of(drawing)
        if not self._headroom.is_enough_for(need):
            raise self._too_large(drawing, need, self._footprint)
        with self._headroom.taken(need, check):
            yield

    def _too_large(self, drawing: Drawing, need: Need, footprint: Footprint) -> OutOfMemory:
        fewer = (Smaller(drawing.width, drawing.height, n) for n in range(drawing.n - 1, 0, -1))
        most = next((each.n for each in fewer if self._headroom.is_enough_for(footprint.of(each))), 0)
        advice = f"Ask for at most {most} at once." if most else "Ask for a smaller size."
        return OutOfMemory(
            f"{drawing.n} image(s) of {drawing.width}x{drawing.height} take about "
            f"{(need.held_bytes + need.forward_bytes) / GIB:.1f} GiB, more than this worker's device has. {advice}"
        )
