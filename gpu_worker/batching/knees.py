"""How many rows a forward of each shape is worth: the knee of its throughput curve, and what memory allows."""

import threading
from collections.abc import Callable

from gpu_worker.batching.arguments import Fit


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


def find_knee(seconds: Callable[[int], float | None], most: int, *, least: int = 1, gain: float = 1.05) -> int:
    """The number of rows beyond which doubling them gives less than `gain` times the rows per second.

    `seconds(rows)` times one forward; None says that there is no going on, for want of memory or patience.
    Rows tried: `least`, twice that, four times … up to `most`.
    """
    rows, rate = least, 0.0
    tried = least
    while tried <= most and (taken := seconds(tried)) is not None:
        if tried / taken < gain * rate:
            break
        rows, rate = tried, tried / taken
        tried *= 2
    return rows
