"""Who waits for a lane where no job store keeps a line: by priority, and then as they came."""

import heapq
import threading
from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import count
from typing import Generic, Protocol, TypeVar


class LineFull(RuntimeError):
    """As many wait already as may."""


class Closed(RuntimeError):
    """Nothing is taken in any more."""


class Waiting(Protocol):
    @property
    def priority(self) -> int:
        """Smaller goes first."""

    def done(self) -> bool:
        """Whether nobody waits for it any more."""


W = TypeVar("W", bound=Waiting)


class LaneLine(Generic[W]):
    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers = count()
        self._waiting: list[tuple[int, int, W]] = []
        self._closed_because = ""
        self._changed = threading.Condition()

    def put(self, one: W, *, is_bounded: bool = True) -> None:
        """Raises LineFull, Closed."""
        with self._changed:
            if self._closed_because:
                raise Closed(self._closed_because)
            if is_bounded and len(self._waiting) >= self._most:
                self._leave_out_done()
            if is_bounded and len(self._waiting) >= self._most:
                raise LineFull(f"{self._most} calls wait for a lane, and no more may: try again later.")
            heapq.heappush(self._waiting, (one.priority, next(self._numbers), one))
            self._changed.notify()

    def next(self) -> W | None:
        """Waits for one. None when the line is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed_because)
            return None if self._closed_because else heapq.heappop(self._waiting)[-1]

    def close(self, reason: str) -> Sequence[W]:
        """Gives those that waited. `reason` is what others are told from now on."""
        with self._changed:
            self._closed_because = self._closed_because or reason
            waited, self._waiting = [one for *_, one in self._waiting], []
            self._changed.notify_all()
            return waited

    def _leave_out_done(self) -> None:
        self._waiting = [place for place in self._waiting if not place[-1].done()]
        heapq.heapify(self._waiting)


def best_order(works: Sequence[float], shapes: Sequence[Hashable]) -> list[int]:
    """In which order forwards stay full when all are known beforehand: positions of the works.

    Those of one shape together, as only they share forwards; the longest first, so that none is left at the end to
    run alone; and the shape with the most work first.
    """
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for position, shape in enumerate(shapes):
        groups[shape].append(position)
    by_work = sorted(groups.values(), key=lambda group: -sum(works[position] for position in group))
    return [position for group in by_work for position in sorted(group, key=lambda each: -works[each])]
