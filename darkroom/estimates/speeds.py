"""How fast jobs of a model were made lately, by their size and by how many shared their worker.

`finish.lua` measures; this reads. A lane's speed depends on both: a batch of eight takes longer than one job alone, and
short jobs go before long ones.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from darkroom.request import Priority

# A measurement counts less for a job unlike those measured: a tenth for each power of two in size or concurrency, ...
FADES = math.log(10)
# ... and as for three of them where it was of another class.
OTHER_CLASS = 3.0
# Where nothing was measured with so many jobs under way, a lane is taken to slow down with their number, to this power.
# 1 would be a device that is busy with one job already, 0 one on which more cost nothing.
CROWDING = 0.75


@dataclass(frozen=True)
class Cell:
    """Jobs of a size (a power of two; None: all), and the sums over them."""

    priority: Priority
    size: int | None
    jobs: float
    work: float
    seconds: float
    concurrency_seconds: float

    @property
    def concurrency(self) -> float:
        return self.concurrency_seconds / self.seconds

    def slowness(self, concurrency: float) -> float:
        """Seconds of a lane for a megapixel-step, among so many."""
        return self.seconds / self.work * math.pow(concurrency / self.concurrency, CROWDING)

    def weight(self, priority: Priority, concurrency: float, size: float) -> float:
        away = abs(math.log2(concurrency / self.concurrency))
        if self.size is not None:
            away += abs(size - (self.size + 0.5))
        return self.jobs * math.exp(-FADES * (away + OTHER_CLASS * (priority is not self.priority)))


class Speeds:
    def __init__(self, cells: Mapping[str, str]) -> None:
        """As `finish.lua` keeps them: `interactive 3 5` (or `all` for a size) and four sums."""
        self._cells = [_cell(name, sums) for name, sums in cells.items()]

    def lane_seconds(self, cost: float, priority: Priority, concurrency: float) -> float | None:
        """How long a job of this cost is under way among so many on its worker; None where nothing was measured."""
        sized = [cell for cell in self._cells if cell.size is not None]
        slowness = _mean_slowness(sized, priority, max(1.0, concurrency), math.log2(cost))
        return None if slowness is None else slowness * cost

    def worker_speed(self, priority: Priority, concurrency: float) -> float | None:
        """Megapixel-steps a second of a worker with so many jobs under way, of all sizes as they came."""
        concurrency = max(1.0, concurrency)
        slowness = _mean_slowness([cell for cell in self._cells if cell.size is None], priority, concurrency, 0)
        return None if slowness is None else concurrency / slowness

    def usual_cost(self, priority: Priority) -> float | None:
        """Megapixel-steps of a job, on average."""
        cells = [cell for cell in self._cells if cell.size is None]
        own = [cell for cell in cells if cell.priority is priority] or cells
        return sum(cell.work for cell in own) / sum(cell.jobs for cell in own) if own else None


def _mean_slowness(cells: list[Cell], priority: Priority, concurrency: float, size: float) -> float | None:
    """The nearest measurements count most; there is always one that is nearest (Nadaraya 1964, Watson 1964)."""
    weights = [cell.weight(priority, concurrency, size) for cell in cells]
    if not sum(weights):
        return None
    return sum(w * cell.slowness(concurrency) for w, cell in zip(weights, cells, strict=True)) / sum(weights)


def _cell(name: str, sums: str) -> Cell:
    priority, size, _ = name.split()
    jobs, work, seconds, concurrency_seconds = map(float, sums.split())
    return Cell(Priority(priority), None if size == "all" else int(size), jobs, work, seconds, concurrency_seconds)
