"""What goes into the next forward. Pure: takes what is known of the calls, gives those to run."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from gpu_worker.batching.arguments import Fit
from gpu_worker.batching.call import Urgency

# Of the work that the worker does while a job waits, the share that the job is forgiven. So nobody starves: once the
# worker has done eight times a job's remaining work since it came, no newcomer goes before it. At 0 the longest jobs
# could wait for ever; from 1 on order is nearly first come, first served. Why an eighth: docs/decisions/0006-ageing.md.
AGEING = 0.125


class Waiting(Protocol):
    @property
    def rows(self) -> int: ...
    @property
    def fit(self) -> Fit: ...
    def urgency(self, now_s: float) -> Urgency: ...


W = TypeVar("W", bound=Waiting)


def rank(urgency: Urgency, speed: float) -> tuple[int, float]:
    """Smaller goes first: interactive before bulk, then the shortest remaining work, less what waiting earned.

    All in megapixel-steps: `speed` is how many of them a second the whole worker does for all its lanes, so that
    ageing means the same on a laptop and on a large GPU, in big batches and in small ones. Among calls that wait, order
    never changes: they all earn alike. A call that is served gains on them, so jobs are not swapped at every step.
    """
    return urgency.priority, urgency.work_left - AGEING * speed * urgency.waited_s


def next_batch(waiting: Sequence[W], knee_of: Callable[[Fit], int], now_s: float, speed: float) -> list[W]:
    """The most urgent call, and in order of urgency every other of its priority that fits, up to the knee of its shape.

    Taking the largest group instead would give more images per second, and would let a steady stream of
    1024x1024 jobs starve a single 512x768 one.
    """
    if not waiting:
        return []
    most_urgent = min(call.urgency(now_s).priority for call in waiting)
    # A bulk call in an interactive one's forward would make that longer, and near the knee several times as long.
    equals = [call for call in waiting if call.urgency(now_s).priority == most_urgent]
    ordered = sorted(equals, key=lambda call: rank(call.urgency(now_s), speed))
    first = ordered[0]
    batch, rows, knee = [first], first.rows, knee_of(first.fit)
    for call in ordered[1:]:
        if call.fit == first.fit and rows + call.rows <= knee:
            batch.append(call)
            rows += call.rows
    return batch
