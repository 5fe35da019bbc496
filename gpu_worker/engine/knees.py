"""How many rows a forward of each shape is worth: the knee of its throughput curve, and what memory allows."""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.memory.device import UNKNOWN, Peak

NEARLY_AS_MUCH = 0.95
CLEARLY_LESS = 0.7
# After one that ran out of memory, before twice as many rows are tried: one lost forward in a hundred costs nothing.
CLEAN_FORWARDS = 100
# Shapes that are kept in mind: clients choose sizes.
MOST_TOLD = 1000


@dataclass(frozen=True)
class Profile:
    """What was measured of a shape: its knee, and the memory that its forwards take."""

    rows: int
    peak: Peak = UNKNOWN

    def scaled(self, ratio: float) -> "Profile":
        """For so many times the pixels: a device is full with fewer of them, and each takes more memory."""
        fixed_bytes = int(self.peak.fixed_bytes * max(1.0, ratio))
        return Profile(max(1, int(self.rows / ratio)), Peak(fixed_bytes, math.ceil(self.peak.row_bytes * ratio)))


@dataclass
class Cap:
    """Of a shape that ran out of memory, until forwards go well again."""

    rows: int
    clean_forwards: int = 0


class Knees:
    """`default_rows` holds while nothing of its network is measured; `sizes` are compiled for every shape, if any are.

    A shape that the warm-up did not meet is told from the nearest that it did, by their pixels.
    """

    def __init__(self, default_rows: int, sizes: tuple[int, ...] = ()) -> None:
        self._default = Profile(default_rows)
        self._default_sizes = sizes
        self._measured: dict[Fit, Profile] = {}
        self._told: dict[Fit, Profile] = {}  # of shapes that were not measured
        self._sizes: dict[Fit, tuple[int, ...]] = {}
        self._caps: dict[Fit, Cap] = {}
        self._lock = threading.Lock()

    def of(self, fit: Fit) -> int:
        with self._lock:
            return self._rows(fit)

    def peak(self, fit: Fit) -> Peak:
        """Of nothing, where nothing was measured."""
        with self._lock:
            return self._profile(fit).peak

    def measured(self, fit: Fit, profile: Profile, sizes: tuple[int, ...] = ()) -> None:
        """`sizes`: numbers of rows, in order, that the network is compiled for."""
        with self._lock:
            self._measured[fit], self._sizes[fit] = profile, sizes
            self._told.clear()

    def is_compiled(self, fit: Fit) -> bool:
        with self._lock:
            return bool(self._sizes.get(fit, self._default_sizes))

    def lower(self, fit: Fit, *, below: int) -> None:
        """A forward of `below` rows did not fit into memory. The knee rises again as others do."""
        with self._lock:
            self._caps[fit] = Cap(max(1, min(self._rows(fit), below // 2)))

    def went_well(self, fit: Fit) -> None:
        """A forward of this shape did fit. Memory was short for a moment, perhaps: somebody else's, or fragments."""
        with self._lock:
            cap = self._caps.get(fit)
            if cap is None:
                return
            cap.clean_forwards += 1
            if cap.clean_forwards == CLEAN_FORWARDS:
                self._caps[fit] = Cap(2 * cap.rows)
            if self._caps[fit].rows >= self._profile(fit).rows:
                del self._caps[fit]

    def _rows(self, fit: Fit) -> int:
        cap, rows = self._caps.get(fit), self._profile(fit).rows
        return min(cap.rows, rows) if cap else rows

    def _profile(self, fit: Fit) -> Profile:
        known = self._measured.get(fit) or self._told.get(fit)
        if known:
            return known
        nearest = _nearest(fit, self._measured)
        if nearest is None:
            return self._default
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
        self._told[fit] = nearest
        return nearest

    def padded(self, fit: Fit, rows: int) -> int:
        """The next of the batch sizes that the network is compiled for; `rows` itself where it is not, or where
        memory does not reach that far."""
        with self._lock:
            most = max(rows, self._rows(fit))
            sizes = self._sizes.get(fit, self._default_sizes)
        return next((size for size in sizes if rows <= size <= most), rows)


def _nearest(fit: Fit, measured: Mapping[Fit, Profile]) -> Profile | None:
    """Scaled from the same network's shape that is nearest in size. None where none is known."""
    size = sample_size(fit)
    sizes = {other: sample_size(other) for other in measured if other[0] == fit[0]}
    ratios = {other: size / known for other, known in sizes.items() if size and known}
    if not ratios:
        return None
    nearest = min(ratios, key=lambda other: abs(math.log(ratios[other])))
    return measured[nearest].scaled(ratios[nearest])


def sample_size(fit: Fit) -> int | None:
    """Numbers in a row of the first tensor, which is the sample in every network we know; it grows with the pixels."""
    for part in fit[2:]:
        for leaf in part if isinstance(part, frozenset) else (part,):
            if isinstance(leaf, tuple) and len(leaf) > 2 and isinstance(leaf[0], torch.dtype):
                return math.prod(leaf[2])
    return None


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
