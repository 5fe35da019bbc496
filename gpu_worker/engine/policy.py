"""What goes into the next forward. Pure: takes what is known of the calls, gives those to run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Protocol, TypeVar

from gpu_worker.engine.call import Urgency
from gpu_worker.engine.calls.arguments import Fit

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


def rank(urgency: Urgency, speed: float) -> tuple[int, bool, float]:
    """Smaller goes first: interactive before bulk, then the shortest remaining work, less what waiting earned.

    What is called once a job goes before all steps. A job that has to wait with its prompt until older ones are done
    cannot fill their forwards meanwhile, however much room there is; and a decoded image is a job less.

    Work is in megapixel-steps: `speed` is how many of them a second the whole worker does for all its lanes, so that
    ageing means the same on a laptop and on a large GPU, in big batches and in small ones. Among calls that wait, order
    never changes: they all earn alike. A call that is served gains on them, so jobs are not swapped at every step.
    """
    return urgency.priority, urgency.is_step, urgency.work_left - AGEING * speed * urgency.waited_s


def next_batch(waiting: Iterable[W], knee_of: Callable[[Fit], int], now_s: float, speed: float) -> list[W]:
    """The most urgent call, and in order of urgency every other of its priority that fits, up to the knee of its shape.

    Taking the largest group instead would give more images per second, and would let a steady stream of
    1024x1024 jobs starve a single 512x768 one.
    """
    groups: dict[tuple[int, Fit], list[W]] = {}
    for call in waiting:
        groups.setdefault((call.urgency(now_s).priority, call.fit), []).append(call)
    return next_of_groups(groups, knee_of, now_s, speed)


def next_of_groups(
    groups: Mapping[tuple[int, Fit], Sequence[W]], knee_of: Callable[[Fit], int], now_s: float, speed: float
) -> list[W]:
    """The same, where calls are kept by their priority and what fits: for whoever chooses often."""
    if not groups:
        return []
    # A bulk call in an interactive one's forward would make that longer, and near the knee several times as long.
    highest = min(priority for priority, _ in groups)
    ranks = {key: [rank(call.urgency(now_s), speed) for call in groups[key]] for key in groups if key[0] == highest}
    first = min(ranks, key=lambda key: min(ranks[key]))
    batch: list[W] = []
    rows, knee = 0, knee_of(first[1])
    for _, call in sorted(zip(ranks[first], groups[first], strict=True), key=itemgetter(0)):
        if not batch or rows + call.rows <= knee:
            batch.append(call)
            rows += call.rows
    return batch
