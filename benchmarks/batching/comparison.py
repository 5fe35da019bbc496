"""Every system under the same loads, one after the other."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import httpx

from benchmarks.batching.interruption import Interruption, interrupt
from benchmarks.batching.offline import Offline
from benchmarks.batching.systems import OURS, SYSTEMS, NotInstalled, Plan
from benchmarks.clients import DarkroomClient
from benchmarks.side import REPOSITORY, Side
from benchmarks.subject import Subject
from benchmarks.traffic import Run, send, send_at_once
from benchmarks.work import SHORTEST, Work, equal_works, mixed_works
from darkroom.local.processes.readiness import NotReady

OFFLINE_WITHIN_S = 3600
# Enough for BentoML's dispatcher, which first learns from its first 13 batches.
WARM_UP_WORKS = 20


@dataclass(frozen=True)
class Measured:
    """`closed`: all works at once. `open`: at Poisson moments, the same for every system.

    `cpu_s`: of each of Darkroom's processes, and of the client, for the works at once. Others are not counted: some
    start processes where they can't be found. `not_interrupted` says why Darkroom has no interruption; of the others
    none is asked.
    """

    closed: Run
    open: Run
    cpu_s: Mapping[str, float] | None = None
    interruption: Interruption | None = None
    not_interrupted: str | None = None


@dataclass(frozen=True)
class Load:
    works: Sequence[Work]
    at_s: Sequence[float]
    samples: int
    bulk_jobs: int


@dataclass(frozen=True)
class Comparison:
    """A system that could not be run is in `not_run`, with the reason."""

    systems: dict[str, Measured]
    not_run: dict[str, str]


def measure_offline(plan: Plan, works: Sequence[Work], sizes: Sequence[int]) -> Offline:
    """Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.batching.offline"],
        input=json.dumps({"works": [asdict(work) for work in works], "sizes": list(sizes)}),
        env=plan.environment(),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=OFFLINE_WITHIN_S,
    )
    found = json.loads(done.stdout)
    return Offline(**{**found, "by_batch": {int(size): rate for size, rate in found["by_batch"].items()}})


def compare(names: Sequence[str], plan: Plan, load: Load) -> Comparison:
    systems: dict[str, Measured] = {}
    not_run: dict[str, str] = {}
    for name in names:
        say(f"{SYSTEMS[name].title}: {len(load.works)} works at once, then one by one as they come …")
        try:
            systems[name] = _measure(name, plan, load)
        except (NotInstalled, NotReady, TimeoutError, OSError) as error:
            not_run[name] = str(error)
            say(f"{SYSTEMS[name].title}: not run: {error}")
    return Comparison(systems, not_run)


def _measure(name: str, plan: Plan, load: Load) -> Measured:
    temporary = tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True)
    with temporary as folder, SYSTEMS[name].start(plan, Path(folder)) as side:
        return asyncio.run(_put_through(name, side, plan.subject, load))


async def _put_through(name: str, side: Side, subject: Subject, load: Load) -> Measured:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    # No time limit but traffic's own. No proxy of the environment: it could not reach this machine's loopback.
    async with httpx.AsyncClient(base_url=side.url, timeout=None, trust_env=False, limits=limits) as http:
        draw = SYSTEMS[name].client(http, subject)
        await send_at_once(draw, equal_works(WARM_UP_WORKS, SHORTEST))
        await send_at_once(draw, mixed_works(WARM_UP_WORKS // 2, seed=0))
        before = {**side.cpu_s(), "client": time.process_time()}
        closed = await send_at_once(draw, load.works)
        after = {**side.cpu_s(), "client": time.process_time()}
        as_they_come = await send(draw, load.works, load.at_s)
        if name != OURS:
            return Measured(closed, as_they_come)
        measured = Measured(closed, as_they_come, {part: round(after[part] - before[part], 2) for part in after})
        client = DarkroomClient(http, subject.card.id, subject.side)
        try:
            return replace(measured, interruption=await interrupt(client, load.samples, load.bulk_jobs))
        except (RuntimeError, TimeoutError, httpx.HTTPError) as error:
            return replace(measured, not_interrupted=f"{type(error).__name__}: {error}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
