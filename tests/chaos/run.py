"""One run on one broker: load and faults side by side, then healing, then the oracle."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.key import Key
from darkroom.job_store.redis_client import connect, redis_errors
from tests.chaos.alone import Pixels
from tests.chaos.assembly import running_service
from tests.chaos.evidence import Evidence, gather, records
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.oracle import Verdict, judge, recoveries
from tests.chaos.outage import Outage, endure
from tests.chaos.schedule import Fault, plan
from tests.chaos.service import Service, Struck

FIRST_IMAGE_WITHIN_S = 120
ENDED_WITHIN_S = 600
# One that storage was away for is tried again after two and a half minutes.
CLEARED_WITHIN_S = 200


@dataclass(frozen=True)
class Options:
    jobs: int
    faults: int
    seconds: float
    seed: int
    poison: int = 0
    """Of the jobs, those that kill their workers."""
    outage_s: float = 0
    """For so long Redis, and then the broker where it is another, is stopped before all else."""
    thumbnails_within_s: float = 90
    """A lost follow-up is due again after a minute. 0: nobody waits for them, and none is expected."""


@dataclass(frozen=True)
class Result:
    verdict: Verdict
    ledger: Ledger
    struck: Sequence[Struck]
    recovery_s: Sequence[float | None]
    ended_by_themselves: Mapping[str, int]
    slowest_job_s: float
    outages: Sequence[Outage] = ()
    expects_thumbnails: bool = True

    def is_spotless(self) -> bool:
        outages_are = all(outage.is_spotless() for outage in self.outages)
        thumbnails_are = not (self.expects_thumbnails and self.verdict.without_thumbnail)
        return self.verdict.is_spotless() and not self.ledger.surprises and outages_are and thumbnails_are


async def run(broker: str, options: Options, alone: Sequence[Sequence[Pixels]], folder: Path) -> Result:
    async with running_service(folder, broker) as service:
        await _draw_one(service)
        ledger = Ledger()
        faults = plan(options.seed, options.faults, options.seconds, broker)
        supervisor = asyncio.create_task(service.supervise())
        outages = [
            await endure(service, part, options.outage_s, ledger)
            for part in dict.fromkeys(("redis", broker))
            if options.outage_s
        ]
        async with asyncio.TaskGroup() as group:
            load = Load(service.url, options.seed, ledger)
            group.create_task(load.run(options.jobs, options.seconds, options.poison))
            group.create_task(_strike_all(service, faults))
        await _until_quiet(service, options.thumbnails_within_s)
        supervisor.cancel()
        evidence = await asyncio.to_thread(gather, service.settings)
    return Result(
        judge(ledger.accepted, evidence, alone),
        ledger,
        service.struck,
        recoveries(service.struck, ledger.accepted, evidence),
        {name: part.ended_by_itself for name, part in service.parts.items() if part.ended_by_itself},
        _slowest_job_s(evidence),
        outages,
        options.thumbnails_within_s > 0,
    )


async def _draw_one(service: Service) -> None:
    """Chaos begins when all workers are there and an image was ordered."""
    warm_up = Ledger()
    deadline = time.monotonic() + FIRST_IMAGE_WITHIN_S
    while await asyncio.to_thread(_workers, service) < 3:
        if time.monotonic() > deadline:
            raise TimeoutError("The workers did not come up; see their logs.")
        await asyncio.sleep(0.3)
    await Load(service.url, 0, warm_up).run(1, 0)


def _workers(service: Service) -> int:
    with connect(service.settings.redis_url) as client:
        return int(client.hlen(keys.WORKERS()))


async def _strike_all(service: Service, faults: Sequence[Fault]) -> None:
    start = time.monotonic()
    async with asyncio.TaskGroup() as strikes:
        for fault in faults:
            await asyncio.sleep(max(0, start + fault.at_s - time.monotonic()))
            strikes.create_task(service.strike(fault))


async def _until_quiet(service: Service, thumbnails_within_s: float) -> None:
    """Until every job is final, every thumbnail made, every deleted job cleared up; or else the oracle finds it."""
    await _until(lambda: _unfinished(service), ENDED_WITHIN_S)
    await _until(lambda: _left(service, keys.FOLLOWUPS), thumbnails_within_s)
    await _until(lambda: _left(service, keys.LEFTOVERS), CLEARED_WITHIN_S)


async def _until(left: Callable[[], int], deadline_s: float) -> None:
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline and (await asyncio.to_thread(left)) > 0:
        await asyncio.sleep(0.5)


def _unfinished(service: Service) -> int:
    try:
        with redis_errors(), connect(service.settings.redis_url) as client:
            return sum(not job.state.is_final for job in records(client).values())
    except RedisUnavailable:
        return 1


def _left(service: Service, key: Key) -> int:
    with connect(service.settings.redis_url) as client:
        return int(client.zcard(key()))


def _slowest_job_s(evidence: Evidence) -> float:
    return max(((job.finished_ms or 0) - job.created_ms for job in evidence.jobs.values()), default=0) / 1000
