"""When a step may be forecast instead of computed. Pure: it knows numbers, and neither tensors nor networks."""

from collections.abc import Mapping
from dataclasses import dataclass

# Steps that are always computed: a forecast needs two before it, and one more to know how well forecasts hold. The
# last one is what the image looks like.
FIRST, LAST = 3, 1
# Of the room that a step is allowed, the last part, in which it is computed and mixed with its forecast: the closer to
# the end, the more of it. See `ReusePolicy`. No more than what one step in a row takes at any level.
BAND = 0.02
MOST_RATE = 1e3


@dataclass(frozen=True)
class Level:
    tolerance: float
    """Errors to be expected of forecasts since the last computed step, relative to the sample, may add up to this."""
    most_in_a_row: int


LEVELS: Mapping[str, Level] = {
    "low": Level(tolerance=0.02, most_in_a_row=1),
    "medium": Level(tolerance=0.04, most_in_a_row=2),
    "high": Level(tolerance=0.1, most_in_a_row=2),
}


class ReusePolicy:
    """For one run. As in EasyCache (Zhou et al. 2025), what counts is the run's own drift since a step was last
    computed: here the errors to be expected of forecasts, which grow with age, by what computed steps showed of them.

    Rounding differs with the jobs that share a forward, and a bare threshold would at times turn one in the
    seventh digit into another step, and another image. So there is none: near its end a step is computed, and counts
    by its weight. At weight 0 that leaves everything, this policy's own state too, as a forecast step would, and at 1
    as a computed one does. What is drawn so depends on rounding as little as without reuse.
    """

    def __init__(self, level: Level, steps: int) -> None:
        self._level = level
        self._steps = steps
        self._rate = 0.0  # at which forecasts lose their worth with age
        self._next_rate = 0.0
        self._age = 0.0  # of what forecasts are made from, in steps
        self._drift = 0.0  # 1 is all that is allowed

    def weight(self, step: int) -> float:
        """Of this step, counted from 0: 0 is a forecast, 1 computed; between, computed and mixed with the forecast."""
        if step < FIRST or step >= self._steps - LAST:
            self._age = self._drift = 0.0
            return 1.0
        age = self._age + 1
        drift = self._drift + max(age * self._rate / self._level.tolerance, 1 / (self._level.most_in_a_row + 1))
        weight = min(max((drift - (1 - BAND)) / BAND, 0.0), 1.0)
        self._age, self._drift = age * (1 - weight), drift * (1 - weight)
        return weight

    def told(self, rate: float, weight: float) -> None:
        """A step of this weight was off its forecast by `rate`, relative, for each step of the forecast's age."""
        # What is no number is not less either.
        rate = rate if rate < MOST_RATE else MOST_RATE
        self._next_rate += weight * (rate - self._next_rate)

    def computed(self, weight: float) -> None:
        """A step of this weight is computed: from now on, what was told before counts. Of its own error nothing is
        known yet: on a GPU it is on its way still, and no forward shall wait for it.
        """
        self._rate += weight * (self._next_rate - self._rate)
