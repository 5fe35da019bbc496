"""Sends works to a system at set moments, and takes the time until each image is there. Knows no system."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import percentile
from benchmarks.work import SHORTEST, Work

Draw = Callable[[Work], Coroutine[Any, Any, bytes]]
"""Returns the image's file. Whatever it raises counts as a failure of that work alone."""

GIVE_UP_S = 300.0
PNG = b"\x89PNG\r\n"


@dataclass(frozen=True)
class Outcome:
    """`latency_s` is from when the work was due until its image was here; infinite if none came."""

    work: Work
    latency_s: float
    failure: str | None = None


@dataclass(frozen=True)
class Run:
    """What became of a list of works. A latency is null where it is infinite: too many works failed."""

    images_per_s: float
    p50_s: float | None
    p95_s: float | None
    short_p95_s: float | None
    failed: int
    failure: str | None


async def send(draw: Draw, works: Sequence[Work], at_s: Sequence[float]) -> Run:
    """Each work at its moment, whether or not those before it are done."""
    start = time.perf_counter()
    sent = (_send_one(draw, work, start + moment) for work, moment in zip(works, at_s, strict=True))
    outcomes = await asyncio.gather(*sent)
    return summary(outcomes, time.perf_counter() - start)


async def send_at_once(draw: Draw, works: Sequence[Work]) -> Run:
    return await send(draw, works, [0.0] * len(works))


def summary(outcomes: Sequence[Outcome], wall_s: float) -> Run:
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    latencies = [outcome.latency_s for outcome in outcomes]
    short = [outcome.latency_s for outcome in outcomes if outcome.work.steps == SHORTEST]
    return Run(
        images_per_s=(len(outcomes) - len(failures)) / wall_s,
        p50_s=_finite(percentile(latencies, 0.50)),
        p95_s=_finite(percentile(latencies, 0.95)),
        short_p95_s=_finite(percentile(short, 0.95)) if short else None,
        failed=len(failures),
        failure=failures[0] if failures else None,
    )


async def _send_one(draw: Draw, work: Work, due: float) -> Outcome:
    await asyncio.sleep(due - time.perf_counter())
    try:
        async with asyncio.timeout(GIVE_UP_S):
            image = await draw(work)
    except Exception as error:
        return Outcome(work, math.inf, f"{type(error).__name__}: {error}")
    if not image.startswith(PNG):
        return Outcome(work, math.inf, f"The answer is no PNG file: {image[:40]!r}")
    return Outcome(work, time.perf_counter() - due)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
