"""Whether a series of measurements grows: a straight line by least squares, held to a bound. Reads nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression, median


@dataclass(frozen=True)
class Bound:
    """How much a series may grow over the time measured, whichever is more."""

    share: float
    """Of its median."""
    absolute: float


# Memory is returned to the system late and in large pieces; a leak of one object a job would pass these in a night.
BOUNDS: Mapping[str, Bound] = {
    "rss_mb": Bound(share=0.05, absolute=8),
    "files": Bound(share=0, absolute=10),
    "threads": Bound(share=0, absolute=10),
    "redis_mb": Bound(share=0.10, absolute=0.5),
    "redis_clients": Bound(share=0, absolute=10),
    "redis_keys": Bound(share=0.15, absolute=50),
    "waiting": Bound(share=0, absolute=10),
    "wakeups": Bound(share=0, absolute=20),
}


@dataclass(frozen=True)
class Trend:
    name: str
    first: float
    """Median of the first tenth, as of the last: single readings swing."""
    last: float
    most: float
    growth: float
    """By the fitted line, from the first reading to the last."""
    may_grow: float

    @property
    def is_flat(self) -> bool:
        return self.growth <= self.may_grow


def trend(name: str, times_s: Sequence[float], values: Sequence[float]) -> Trend:
    """`name` ends in what is measured, which has a bound: `api rss_mb`. Needs two readings at different times."""
    bound = BOUNDS[name.rpartition(" ")[2]]
    growth = linear_regression(times_s, values).slope * (times_s[-1] - times_s[0])
    tenth = max(1, len(values) // 10)
    may_grow = max(bound.share * median(values), bound.absolute)
    return Trend(name, median(values[:tenth]), median(values[-tenth:]), max(values), growth, may_grow)
