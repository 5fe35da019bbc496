"""Puts every system through the same works on one curve: all at once, and at each load as they come."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from benchmarks.batching.comparison import WARM_UP_WORKS, measure_offline, say
from benchmarks.batching.interruption import Interruption, interrupt
from benchmarks.batching.offline import Offline
from benchmarks.batching.systems import OURS, NotInstalled, Plan
from benchmarks.clients import DarkroomClient
from benchmarks.emulated.subject import tiny_subject
from benchmarks.emulated.systems import EMULATED, EmulatedPlan
from benchmarks.emulation import CURVES
from benchmarks.figures import poisson_arrivals
from benchmarks.side import Side
from benchmarks.traffic import Run, send, send_at_once
from benchmarks.work import SHORTEST, Work, equal_works, mixed_works
from darkroom.local.processes.readiness import NotReady


@dataclass(frozen=True)
class Effort:
    """`loads` are shares of what the offline loop makes in its best batches. `samples`: interactive jobs."""

    systems: Sequence[str]
    loads: Sequence[float]
    jobs: int
    samples: int
    seed: int
    peers_python: Path


@dataclass(frozen=True)
class Measured:
    """`open` is by load. Only Darkroom knows classes of urgency, and has an `interruption`."""

    closed: Run
    open: Mapping[str, Run]
    interruption: Interruption | None = None
    not_interrupted: str | None = None


@dataclass(frozen=True)
class CurveResult:
    """A system that could not be run is in `not_run`, with the reason."""

    offline: Offline
    systems: Mapping[str, Measured]
    not_run: Mapping[str, str]


def measure(curve: str, effort: Effort) -> CurveResult:
    works = mixed_works(effort.jobs, effort.seed)
    best = CURVES[curve].best
    with tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True) as folder:
        subject = tiny_subject(curve, Path(folder))
        alone = EmulatedPlan(subject, replace(subject.assignment(), emulated=curve), effort.peers_python, None)
        say(f"{CURVES[curve].title}: the offline loop …")
        offline = measure_offline(alone, works, (1, best))
        batched = replace(alone, assignment=replace(alone.assignment, batch=offline.best_batch, window=best))
        return _compare(batched, works, offline, effort)


def _compare(plan: Plan, works: Sequence[Work], offline: Offline, effort: Effort) -> CurveResult:
    systems: dict[str, Measured] = {}
    not_run: dict[str, str] = {}
    for name in effort.systems:
        say(f"{EMULATED[name].title} …")
        try:
            systems[name] = _measured(name, plan, works, offline.in_best_batches, effort)
        except (NotInstalled, NotReady, TimeoutError, OSError) as error:
            not_run[name] = str(error)
            say(f"{EMULATED[name].title}: not run: {error}")
    return CurveResult(offline, systems, not_run)


def _measured(name: str, plan: Plan, works: Sequence[Work], best_per_s: float, effort: Effort) -> Measured:
    temporary = tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True)
    with temporary as folder, EMULATED[name].start(plan, Path(folder)) as side:
        return asyncio.run(_put_through(name, side, plan, works, best_per_s, effort))


async def _put_through(
    name: str, side: Side, plan: Plan, works: Sequence[Work], best_per_s: float, effort: Effort
) -> Measured:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    # No time limit but traffic's own. No proxy of the environment: it could not reach this machine's loopback.
    async with httpx.AsyncClient(base_url=side.url, timeout=None, trust_env=False, limits=limits) as http:
        draw = EMULATED[name].client(http, plan.subject)
        await send_at_once(draw, equal_works(WARM_UP_WORKS, SHORTEST))
        closed = await send_at_once(draw, works)
        by_load = {}
        for load in effort.loads:
            arrivals = poisson_arrivals(len(works), load * best_per_s, effort.seed)
            by_load[str(load)] = await send(draw, works, arrivals)
        measured = Measured(closed, by_load)
        if name != OURS:
            return measured
        client = DarkroomClient(http, plan.subject.card.id, plan.subject.side)
        try:
            return replace(measured, interruption=await interrupt(client, effort.samples, bulk_jobs=60))
        except (RuntimeError, TimeoutError, httpx.HTTPError) as error:
            return replace(measured, not_interrupted=f"{type(error).__name__}: {error}")
