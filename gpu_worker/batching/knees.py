"""How many rows a forward of each shape is worth: the knee of its throughput curve, and what memory allows."""

import threading
from collections.abc import Callable

from gpu_worker.batching.arguments import Fit

NEARLY_AS_MUCH = 0.95
CLEARLY_LESS = 0.7


class Knees:
    """`default_rows` holds until a shape's own knee is measured."""

    def __init__(self, default_rows: int, sizes: tuple[int, ...] = ()) -> None:
        self._default = default_rows
        self._sizes = sizes
        self._rows: dict[Fit, int] = {}
        self._lock = threading.Lock()

    def of(self, fit: Fit) -> int:
        with self._lock:
            return self._rows.get(fit, self._default)

    def measured(self, fit: Fit, rows: int) -> None:
        with self._lock:
            self._rows[fit] = rows

    def lower(self, fit: Fit, *, below: int) -> None:
        """A forward of `below` rows did not fit into memory."""
        with self._lock:
            self._rows[fit] = max(1, min(self._rows.get(fit, self._default), below // 2))

    def padded(self, fit: Fit, rows: int) -> int:
        """The next of the batch sizes that the network is compiled for; `rows` itself where it is not, or where
        memory does not reach that far."""
        most = max(rows, self.of(fit))
        return next((size for size in self._sizes if rows <= size <= most), rows)


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
