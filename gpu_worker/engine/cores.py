"""How a CPU's cores are divided: all for one forward, or some for each of several forwards at once."""

from collections.abc import Callable
from dataclasses import dataclass

# A lone job's forward may be so much slower than it could be. Less is noise.
HARDLY_SLOWER = 1.1
# Python runs in one thread at a time, and starts a network's operations one by one: minilab's in 5 ms of the 20 that a
# lone job's forward takes on one core. More forwards at once would wait for each other. Beyond it, more processes help.
MOST_AT_ONCE = 4


@dataclass(frozen=True)
class Division:
    threads: int
    """Of each forward."""
    forwards: int
    """At once."""


def divide(seconds: Callable[[int], float], cores: int) -> Division:
    """The most forwards at once of which each takes hardly longer for a lone job than with any number of threads tried.

    The fewer threads one forward has, the less they wait for each other: so these are the most images per second that
    cost a lone job nothing. `seconds(threads)` times its forward. Tried are all cores, half of them, a quarter …, until
    it has become slower.
    """
    taken = {cores: seconds(cores)}
    threads = cores
    while threads > 1:
        threads //= 2
        taken[threads] = seconds(threads)
        if taken[threads] > HARDLY_SLOWER * min(taken.values()):
            break
    good = [threads for threads, each in taken.items() if each <= HARDLY_SLOWER * min(taken.values())]
    enough = [threads for threads in good if cores // threads <= MOST_AT_ONCE]
    threads = min(enough) if enough else max(good)
    return Division(threads, min(MOST_AT_ONCE, cores // threads))
