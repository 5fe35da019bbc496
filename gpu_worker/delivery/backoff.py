"""When to try again while storage is away: a try now and then speaks for all that wait. Knows no storage."""

import random
from collections.abc import Callable

FIRST_S = 0.2
LONGEST_S = 5.0
DOUBLINGS = 5  # after so many, LONGEST_S is reached


class Backoff:
    def __init__(self, clock: Callable[[], float], chance: Callable[[], float] = random.random) -> None:
        """`chance` gives 0 to 1: workers that met the same outage must not all come back at the same moment."""
        self._clock = clock
        self._chance = chance
        self._resume_s = 0.0
        self.failures = 0

    def may_try(self) -> bool:
        return not self.failures or self._clock() >= self._resume_s

    def began(self) -> None:
        """A try that hangs must neither keep the next from its turn, nor let all follow it at once."""
        if self.failures:
            self._pause()

    def failed(self) -> None:
        self.failures += 1
        self._pause()

    def worked(self) -> None:
        self.failures = 0

    def _pause(self) -> None:
        pause_s = min(LONGEST_S, FIRST_S * 2 ** min(self.failures - 1, DOUBLINGS))
        self._resume_s = self._clock() + pause_s * (0.5 + 0.5 * self._chance())
