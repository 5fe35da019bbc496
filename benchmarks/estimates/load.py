"""The load under which estimates are watched: a warm-up, a burst, a steady stream, an overload, and a full line."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any

import httpx

from benchmarks.clients import FINAL
from benchmarks.figures import poisson_arrivals
from benchmarks.work import Work, mixed_works

MODEL, SIDE = "minilab", 64
KEYS = {"alice": "alice-0123456789abcdef", "bob": "bob-0123456789abcdef"}
# Bob asks for a third of all; a quarter of all is bulk.
OF_BOB, OF_BULK = 1 / 3, 1 / 4
STEADY, OVERLOAD = 0.7, 1.4
LOOK_S = 4.0
REFUSALS = 12


@dataclass(frozen=True)
class Plan:
    jobs: int
    lanes: int
    most_waiting: int


@dataclass(frozen=True)
class Sample:
    """What a client was told at a moment; `left_s` is filled in when the job has ended."""

    part: str
    job_id: str
    priority: str
    status: str
    at_s: float
    position: int | None
    eta_s: float | None
    is_first: bool
    left_s: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """`taken` when the client came back after `retry_after_s`, as it was told."""

    retry_after_s: int
    taken: bool


@dataclass
class Load:
    url: str
    plan: Plan
    say: Callable[[str], None]
    samples: list[Sample] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    jobs_per_s: float = 0.0
    _http: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    _part: str = ""
    _parts: dict[str, str] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"jobs_per_s": self.jobs_per_s, "refusals": [asdict(refusal) for refusal in self.refusals]}

    async def run(self) -> None:
        for name, key in KEYS.items():
            headers = {"Authorization": f"Bearer {key}"}
            self._http[name] = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, trust_env=False)
        looking = asyncio.create_task(self._look())
        jobs = self.plan.jobs
        await self._play("warm-up", [0.0] * (jobs // 2), seed=1)
        began = time.time()
        await self._play("burst", [0.0] * jobs, seed=2)
        self.jobs_per_s = jobs / (time.time() - began)
        await self._play("steady", poisson_arrivals(jobs, STEADY * self.jobs_per_s, seed=3), seed=3)
        await self._play("overload", poisson_arrivals(jobs, OVERLOAD * self.jobs_per_s, seed=4), seed=4)
        self._part = "full"
        await self._fill()
        await self._until_ended()
        looking.cancel()
        self.samples = [_with_end(sample, self._ended) for sample in self.samples if sample.job_id in self._ended]
        for http in self._http.values():
            await http.aclose()

    async def _play(self, part: str, moments: list[float], seed: int) -> None:
        """Sends the jobs at their moments, and returns when all have ended."""
        self.say(f"{part}: {len(moments)} jobs within {moments[-1]:.0f} s …")
        self._part = part
        random, start = Random(seed), time.time()
        for work, moment in zip(mixed_works(len(moments), seed), moments, strict=True):
            await asyncio.sleep(max(0.0, start + moment - time.time()))
            owner = "bob" if random.random() < OF_BOB else "alice"
            await self._post(owner, work, "bulk" if random.random() < OF_BULK else "interactive")
        await self._until_ended()

    async def _fill(self) -> None:
        """Alice orders until she is told to wait, waits as told, and orders again."""
        self.say("full: one key orders until it is refused, and comes back as it is told …")
        works = mixed_works(1000, seed=5)
        while len(self.refusals) < REFUSALS:
            wait_s = await self._post("alice", works.pop(), "interactive")
            if wait_s:
                await asyncio.sleep(wait_s)
                self.refusals.append(Refusal(wait_s, not await self._post("alice", works.pop(), "interactive")))

    async def _post(self, owner: str, work: Work, priority: str) -> int:
        """0, or what `Retry-After` says."""
        body = {**asdict(work), "model": MODEL, "width": SIDE, "height": SIDE, "priority": priority}
        answer = await self._http[owner].post("/generate", json=body)
        if answer.status_code == 429:
            return int(answer.headers["retry-after"])
        job = answer.raise_for_status().json()
        self._parts[job["id"]] = self._part
        self._note(job, time.time(), is_first=True)
        return 0

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            for http in self._http.values():
                now = time.time()
                for job in (await http.get("/jobs", params={"limit": 100})).raise_for_status().json()["jobs"]:
                    if job["status"] not in FINAL:
                        self._note(job, now, is_first=False)
                    elif job["status"] == "succeeded":
                        self._ended[job["id"]] = _seconds(job["finished_at"])

    def _note(self, job: dict[str, Any], now: float, *, is_first: bool) -> None:
        part = self._parts.get(job["id"])
        if part:
            priority = job["request"]["priority"]
            told = job["queue_position"], job["eta_s"]
            self.samples.append(Sample(part, job["id"], priority, job["status"], now, *told, is_first))

    async def _until_ended(self) -> None:
        while set(self._parts) - set(self._ended):
            await asyncio.sleep(0.5)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _with_end(sample: Sample, ended: dict[str, float]) -> Sample:
    return replace(sample, left_s=ended[sample.job_id] - sample.at_s)
