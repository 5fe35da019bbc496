"""What a service is put through, and what is measured meanwhile. The same for every side."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.figures import Spread, poisson_arrivals
from benchmarks.side import Side, wait_for_answer
from benchmarks.why_a_queue.load import Accepted, outcomes, post_all, probe, until_done

COLOURS = ("red", "green", "blue", "yellow")


@dataclass(frozen=True)
class Load:
    """Jobs that come in while others are made."""

    post_ms: Spread
    light_ms: Spread
    images_per_s: float


@dataclass(frozen=True)
class Crash:
    """A process is killed when half of the accepted jobs are done."""

    accepted: int
    lost: int
    made_again: int
    api_away_s: float
    all_settled_s: float


@dataclass(frozen=True)
class Measures:
    steady: Load
    burst: Load
    api_killed: Crash
    worker_killed: Crash | None


async def capacity(side: Side, steps: int) -> float:
    """Images a second when there always is work, of a service that is warm."""
    async with _client(side) as http:
        await load(http, bodies(3, steps), [0.0] * 3)
        return (await load(http, bodies(12, steps), [0.0] * 12)).images_per_s


async def measure(side: Side, jobs: Sequence[dict[str, Any]], rate_per_s: float) -> Measures:
    _say(f"{side.name}: {len(jobs)} jobs at {rate_per_s:.2f} a second …")
    async with _client(side) as http:
        steady = await load(http, jobs, poisson_arrivals(len(jobs), rate_per_s, seed=1))
        _say(f"{side.name}: {len(jobs)} jobs at once …")
        burst = await load(http, jobs, [0.0] * len(jobs))
    api_killed = await crash(side, "api", jobs)
    return Measures(steady, burst, api_killed, await crash(side, "gpu", jobs) if side.has("gpu") else None)


async def load(http: httpx.AsyncClient, jobs: Sequence[dict[str, Any]], at_s: Sequence[float]) -> Load:
    done = asyncio.Event()
    probing = asyncio.create_task(probe(http, done))
    start = time.perf_counter()
    accepted = await post_all(http, jobs, at_s)
    await outcomes(http, _ids(accepted))
    images_per_s = len(jobs) / (time.perf_counter() - start)
    done.set()
    return Load(Spread.of([job.answer_ms for job in accepted]), Spread.of(await probing), images_per_s)


async def crash(side: Side, part: str, jobs: Sequence[dict[str, Any]]) -> Crash:
    """Kill it when half is done, start it again at once, and wait for what becomes of every job."""
    _say(f"{side.name}: SIGKILL to {part} when half of {len(jobs)} jobs are done …")
    async with _client(side) as http:
        accepted = await post_all(http, jobs, [0.0] * len(jobs))
        await until_done(http, _ids(accepted), len(jobs) // 2)
    start = time.perf_counter()
    await asyncio.to_thread(side.crash, part)
    await asyncio.to_thread(wait_for_answer, side)
    api_away_s = time.perf_counter() - start
    async with _client(side) as http:
        records = await outcomes(http, _ids(accepted))
    return Crash(
        accepted=len(accepted),
        lost=sum(record["status"] != "succeeded" for record in records),
        made_again=sum(record.get("attempt", 1) > 1 for record in records),
        api_away_s=api_away_s if part == "api" else 0.0,
        all_settled_s=time.perf_counter() - start,
    )


def bodies(count: int, steps: int) -> list[dict[str, Any]]:
    colours = ("red", "green", "blue", "yellow")
    return [
        {"prompt": f"a {colours[i % 4]} circle on a white background", "steps": steps, "seed": i} for i in range(count)
    ]


def _ids(accepted: Sequence[Accepted]) -> list[str]:
    return [job.job_id for job in accepted]


def _client(side: Side) -> httpx.AsyncClient:
    # No proxy of the environment: it could not reach this machine's loopback.
    return httpx.AsyncClient(base_url=side.url, timeout=60, trust_env=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
