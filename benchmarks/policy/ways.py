"""Ways of choosing the next forward's jobs among those that hold a lane: ours, and what it is measured against."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.policy.curves import Curve
from benchmarks.policy.jobs import Job
from gpu_worker.engine import policy

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


def bulk_riding(curve: Curve) -> Way:
    """What if bulk jobs filled the room that interactive ones leave in their forwards, which so would last longer?"""
    knee = curve.knee

    def choose(lanes: Sequence[Job], now_s: float) -> list[Job]:
        return heapq.nsmallest(knee, lanes, key=lambda job: policy.rank(job.urgency(now_s), curve.capacity))

    return Way("shortest remaining, bulk riding along", choose)


def gaining(curve: Curve, least: float = 0.125, patience: float = 1.0) -> Way:
    """What if a forward took a further job only where that adds `least` to the images a second, or less the more wait?

    `patience`: in fullest forwards, how many jobs may be left behind before everything that gains at all is merged.
    """
    speed = curve.capacity
    caps: dict[int, int] = {}

    def choose(lanes: Sequence[Job], now_s: float) -> list[Job]:
        waiting = len(lanes)
        if waiting not in caps:
            caps[waiting] = images_worth(curve, waiting, least, patience)
        return policy.next_batch(lanes, lambda _: caps[waiting], now_s, speed)

    return Way(f"merging what gains {least:g}, patience {patience:g}", choose)


def images_worth(curve: Curve, waiting: int, least: float, patience: float) -> int:
    images = 1
    while images < min(waiting, curve.knee):
        gain = (images + 1) / curve.of(images + 1) * curve.of(images) / images - 1
        left_behind = waiting - images - 1
        if gain < least * max(0.0, 1 - left_behind / (patience * curve.knee)):
            break
        images += 1
    return images
