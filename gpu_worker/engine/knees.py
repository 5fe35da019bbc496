"""How many rows a forward of each shape is worth: the knee of its throughput curve, and what memory allows."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.memory.device import UNKNOWN, Peak

NEARLY_AS_MUCH = 0.95
CLEARLY_LESS = 0.7


@dataclass(frozen=True)
class Profile:
    """What was measured of a shape: its knee, and the memory that its forwards take."""

    rows: int
    peak: Peak = UNKNOWN


class Knees:
    """`default_rows` holds until a shape's own knee is measured; `sizes` are compiled for every shape, if any are."""

    def __init__(self, default_rows: int, sizes: tuple[int, ...] = ()) -> None:
        self._default = default_rows
        self._default_sizes = sizes
        self._rows: dict[Fit, int] = {}
        self._peaks: dict[Fit, Peak] = {}
        self._sizes: dict[Fit, tuple[int, ...]] = {}
        self._lock = threading.Lock()

    def of(self, fit: Fit) -> int:
        with self._lock:
            return self._rows.get(fit, self._default)

    def peak(self, fit: Fit) -> Peak:
        """Of nothing, where nothing was measured."""
        with self._lock:
            return self._peaks.get(fit, UNKNOWN)

    def measured(self, fit: Fit, profile: Profile, sizes: tuple[int, ...] = ()) -> None:
        """`sizes`: numbers of rows, in order, that the network is compiled for."""
        with self._lock:
            self._rows[fit], self._peaks[fit], self._sizes[fit] = profile.rows, profile.peak, sizes

    def is_compiled(self, fit: Fit) -> bool:
        with self._lock:
            return bool(self._sizes.get(fit, self._default_sizes))

    def lower(self, fit: Fit, *, below: int) -> None:
        """A forward of `below` rows did not fit into memory."""
        with self._lock:
            self._rows[fit] = max(1, min(self._rows.get(fit, self._default), below // 2))

    def padded(self, fit: Fit, rows: int) -> int:
        """The next of the batch sizes that the network is compiled for; `rows` itself where it is not, or where
        memory does not reach that far."""
        most = max(rows, self.of(fit))
        with self._lock:
            sizes = self._sizes.get(fit, self._default_sizes)
        return next((size for size in sizes if rows <= size <= most), rows)


def find_knee(seconds: Callable[[int], float | None], most: int, *, least: int = 1) -> int:
    """The fewest rows that give nearly as many rows a second as any number tried does.

    `seconds(rows)` times one forward; None says that there is no going on, for want of memory or patience.
    Rows tried: `least`, twice that, four times … up to `most`, or until the rate has clearly fallen. One slow
    measurement, as a busy machine gives, so ends nothing.
    """
    rates: dict[int, float] = {}
    rows = least
    while rows <= most and (taken := seconds(rows)) is not None:
        rates[rows] = rows / taken
        if rates[rows] < CLEARLY_LESS * max(rates.values()):
            break
        rows *= 2
    enough = NEARLY_AS_MUCH * max(rates.values(), default=0)
    return next((rows for rows, rate in rates.items() if rate >= enough), least)
