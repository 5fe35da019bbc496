"""The jobs that a simulation is about: when they come, how many steps they take, who sent them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from benchmarks.figures import poisson_arrivals
from gpu_worker.engine.call import Urgency
from gpu_worker.engine.calls.arguments import Fit

INTERACTIVE, BULK = 0, 1

# Share of all jobs by their steps: distilled models, few-step ones, and three habits with ordinary ones.
STEPS: Mapping[int, float] = {4: 0.25, 8: 0.15, 20: 0.20, 30: 0.25, 50: 0.15}
MEAN_STEPS = sum(steps * share for steps, share in STEPS.items())


@dataclass(eq=False, slots=True)
class Job:
    """One image of one megapixel, so its work in megapixel-steps is its steps."""

    arrives_s: float
    steps: int
    left: int
    """Steps still to do. The simulation counts them down, and sets the last three fields."""
    priority: int = BULK
    owner: int | None = None
    """None: a key of its own."""
    entered_s: float = 0.0
    served: int = 0
    """Number of the last forward it was in."""
    finished_s: float = 0.0

    rows: ClassVar[int] = 1
    fit: ClassVar[Fit] = ("one shape",)

    @property
    def latency_s(self) -> float:
        return self.finished_s - self.arrives_s

    def urgency(self, now_s: float) -> Urgency:
        return Urgency(self.priority, self.left, now_s - self.entered_s)


def mixed_jobs(count: int, per_s: float, seed: int) -> list[Job]:
    """Poisson arrivals of one class, with steps by `STEPS`."""
    # Not the arrivals' own seed: long jobs would then come after long gaps, and hardly anybody would ever wait.
    drawn = random.Random(f"steps {seed}").choices(list(STEPS), list(STEPS.values()), k=count)
    return [Job(at_s, steps, steps) for at_s, steps in zip(poisson_arrivals(count, per_s, seed), drawn, strict=True)]


def two_classes(count: int, per_s: float, interactive_share: float, seed: int) -> list[Job]:
    """As `mixed_jobs`, and this share of them interactive with 4 steps."""
    drawn = random.Random(f"classes {seed}")
    return [
        Job(job.arrives_s, 4, 4, INTERACTIVE) if drawn.random() < interactive_share else job
        for job in mixed_jobs(count, per_s, seed)
    ]


def with_a_burst(count: int, per_s: float, burst: int, seed: int) -> list[Job]:
    """As `mixed_jobs`, each of a key of its own, and one key's burst of the longest jobs before them all."""
    longest = max(STEPS)
    return [Job(0.0, longest, longest, owner=1) for _ in range(burst)] + mixed_jobs(count, per_s, seed)
