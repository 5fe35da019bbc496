"""Lets a job into its lane when the device has memory for it, and tells at once the one that can never fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from darkroom.errors import OutOfMemory
from gpu_worker.memory.budget import MemoryBudget, Need
from gpu_worker.memory.job_memory import Drawing, JobMemory

GIB = 2**30


class Gate:
    """Of one model. Open to all until the warm-up has found what the model's jobs take."""

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
