"""The arithmetic of benchmarks: arrivals, percentiles, tables. Measures nothing itself."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass


def poisson_arrivals(count: int, per_s: float, seed: int) -> list[float]:
    """Seconds from the start, the first at 0."""
    gaps = random.Random(seed)
    moments = [0.0]
    while len(moments) < count:
        moments.append(moments[-1] + gaps.expovariate(per_s))
    return moments


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank: the least value that is no smaller than this share of all. Raises ValueError for no values."""
    if not values:
        raise ValueError("There is no percentile of nothing.")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True)
class Spread:
    """How far apart measured values lie."""

    count: int
    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Raises ValueError for no values."""
        return cls(len(values), percentile(values, 0.50), percentile(values, 0.95), max(values))


def short(value: float) -> str:
    """For a table: two figures at least."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, so that it can be read unrendered. Raises ValueError for ragged rows."""
    if any(len(row) != len(header) for row in rows):
        raise ValueError("Every row needs a cell for each column.")
    widths = [max(3, *(len(row[column]) for row in (header, *rows))) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
