"""How a CPU's cores are shared out: all for one forward, or some for each of several forwards at once."""

from collections.abc import Callable

# A lone job's forward may be so much slower than it could be. Less is noise.
HARDLY_SLOWER = 1.1


def fewest_threads(seconds: Callable[[int], float], cores: int) -> int:
    """The fewest threads with which a lone job's forward hardly takes longer than with any number tried.

    The fewer threads one forward has, the more forwards run at once, and the less threads wait for each other: so the
    most images per second that cost a lone job nothing. `seconds(threads)` times a forward. Tried are all cores,
    half of them, a quarter …, until it has become slower.
    """
    taken = {cores: seconds(cores)}
    threads = cores
    while threads > 1:
        threads //= 2
        taken[threads] = seconds(threads)
        if taken[threads] > HARDLY_SLOWER * min(taken.values()):
            break
    best = min(taken.values())
    return min(threads for threads, each in taken.items() if each <= HARDLY_SLOWER * best)
