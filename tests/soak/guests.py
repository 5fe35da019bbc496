"""Clients that do all that a service has to forget again: they leave in the middle, cancel, delete, wait in vain."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

import httpx

from tests.chaos.pool import POOL

PATIENCE_S = 300
# As many as the API has threads, and so connections to Redis: it keeps those that it once needed.
RUSH = 40
FINAL = frozenset({"succeeded", "failed", "canceled"})


class Guests:
    """`done` counts what they did, and what they were answered that they should not have been."""

    def __init__(self, url: str, seed: int) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)
        self._random = Random(seed)
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []

    async def come(self, each_s: float, seconds: float) -> None:
        """A rush, so that pools are full from then on; then at Poisson moments. Returns when the last has gone."""
        ways = {self._fetch: 4, self._watch: 2, self._leave: 3, self._hang_up: 2, self._cancel: 2, self._delete: 2}
        end = time.monotonic() + seconds
        async with self._http, asyncio.TaskGroup() as guests:
            for _ in range(RUSH):
                guests.create_task(self._live(self._leave))
            while time.monotonic() < end:
                [way] = self._random.choices(list(ways), weights=list(ways.values()))
                guests.create_task(self._live(way))
                await asyncio.sleep(self._random.expovariate(1 / each_s))

    async def _live(self, way: Any) -> None:
        name = way.__name__.strip("_")
        self.done[name] += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                await way()
        except (httpx.HTTPError, TimeoutError) as error:
            self.faults.append(f"{name}: {type(error).__name__} {error}")

    async def _order(self) -> str:
        answer = await self._http.post("/generate", json=self._random.choice(POOL))
        job_id: str = answer.raise_for_status().json()["id"]
        return job_id

    async def _ended(self, job_id: str) -> dict[str, Any]:
        while True:
            job: dict[str, Any] = (await self._http.get(f"/jobs/{job_id}")).raise_for_status().json()
            if job["status"] in FINAL:
                return job
            await asyncio.sleep(1)

    async def _fetch(self) -> None:
        job = await self._ended(await self._order())
        for image in job["images"]:
            (await self._http.get(image["url"])).raise_for_status()

    async def _watch(self) -> None:
        await self._listen(await self._order(), most=10_000)

    async def _leave(self) -> None:
        """Closes the stream after some events, while the job goes on."""
        await self._listen(await self._order(), most=self._random.randint(1, 4))

    async def _listen(self, job_id: str, most: int) -> None:
        async with self._http.stream("GET", f"/jobs/{job_id}/events") as stream:
            async for line in stream.aiter_lines():
                most -= line.startswith("event")
                if most <= 0:
                    return

    async def _hang_up(self) -> None:
        """Asks to be answered when the image is there, and goes before it is."""
        body = self._random.choice(POOL)
        with suppress(httpx.TimeoutException):
            await self._http.post("/generate", json=body, headers={"Prefer": "wait=30"}, timeout=0.3)

    async def _cancel(self) -> None:
        job_id = await self._order()
        await asyncio.sleep(self._random.expovariate(1))
        answer = await self._http.post(f"/jobs/{job_id}/cancel")
        if answer.status_code != 409:  # it was done before
            answer.raise_for_status()

    async def _delete(self) -> None:
        job_id = await self._order()
        await asyncio.sleep(self._random.expovariate(1))
        (await self._http.delete(f"/jobs/{job_id}")).raise_for_status()
