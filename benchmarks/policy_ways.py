"""Ways of choosing the next forward's jobs among those that hold a lane: ours, and what it is measured against."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.policy_curves import Curve
from benchmarks.policy_jobs import INTERACTIVE, Job
from gpu_worker.batching import policy

Choose = Callable[[Sequence[Job], float], list[Job]]


@dataclass(frozen=True)
class Way:
    """`is_steady`: as long as no job comes or goes, it chooses the same ones again."""

    name: str
    choose: Choose
    is_steady: bool = True


def first_come(curve: Curve) -> Way:
    """Continuous batching as others do it: whoever is in stays in; the rest wait in order."""
    knee = curve.knee

    def choose(lanes: Sequence[Job], _now_s: float) -> list[Job]:
        return heapq.nsmallest(knee, lanes, key=lambda job: job.entered_s)

    return Way("first come", choose)


def fair_share(curve: Curve) -> Way:
    """Processor sharing, a step at a time: whoever was served longest ago."""
    knee = curve.knee

    def choose(lanes: Sequence[Job], _now_s: float) -> list[Job]:
        return heapq.nsmallest(knee, lanes, key=lambda job: job.served)

    return Way("fair share", choose, is_steady=False)


def ours(curve: Curve, ageing: float = policy.AGEING) -> Way:
    """The worker's own `next_batch`.

    It multiplies ageing by speed and uses neither alone, so another ageing is tried by scaling the speed. Served
    jobs only gain rank, and those that wait gain alike; so between arrivals and ends its choice stays the same.
    """
    speed = curve.capacity * ageing / policy.AGEING
    knee = curve.knee

    def choose(lanes: Sequence[Job], now_s: float) -> list[Job]:
        return policy.next_batch(lanes, lambda _: knee, now_s, speed)

    return Way(f"shortest remaining, ageing {ageing:g}", choose)


def interactive_alone(way: Way) -> Way:
    """What if bulk jobs did not ride along in a forward that has interactive ones, which would be over sooner?"""

    def choose(lanes: Sequence[Job], now_s: float) -> list[Job]:
        return way.choose([job for job in lanes if job.priority == INTERACTIVE] or lanes, now_s)

    return Way(f"{way.name}, interactive alone", choose, way.is_steady)
