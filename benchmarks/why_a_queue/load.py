"""What clients do to a service, and how long they wait. Knows HTTP, and not what stands behind it."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

FINAL = frozenset({"succeeded", "failed", "canceled"})
LOST = "lost"
"""The service does not know the job that it accepted."""

POLL_S = 0.25
PROBE_S = 0.05
GIVE_UP_S = 300


@dataclass(frozen=True)
class Accepted:
    job_id: str
    answer_ms: float


async def post_all(http: httpx.AsyncClient, bodies: Sequence[dict[str, Any]], at_s: Sequence[float]) -> list[Accepted]:
    """Post each body at its moment, whether or not those before it are answered."""
    start = time.perf_counter()
    posts = (_post(http, body, start + moment) for body, moment in zip(bodies, at_s, strict=True))
    return list(await asyncio.gather(*posts))


async def _post(http: httpx.AsyncClient, body: dict[str, Any], due: float) -> Accepted:
    await asyncio.sleep(due - time.perf_counter())
    response = await http.post("/generate", json=body)
    # From when it was due, not from when we came round to it.
    answer_ms = (time.perf_counter() - due) * 1000
    response.raise_for_status()
    return Accepted(response.json()["id"], answer_ms)


async def probe(http: httpx.AsyncClient, until: asyncio.Event) -> list[float]:
    """Milliseconds that a request takes which needs no work at all, asked for at a fixed pace."""
    asked: list[asyncio.Task[float]] = []
    start = time.perf_counter()
    while not until.is_set():
        due = start + len(asked) * PROBE_S
        await asyncio.sleep(due - time.perf_counter())
        asked.append(asyncio.create_task(_ask(http, due)))
    return list(await asyncio.gather(*asked))


async def _ask(http: httpx.AsyncClient, due: float) -> float:
    (await http.get("/healthz")).raise_for_status()
    return (time.perf_counter() - due) * 1000


async def until_done(http: httpx.AsyncClient, job_ids: Sequence[str], count: int) -> None:
    """Until this many are final, whichever: what waits for a lock is not served in order. Raises TimeoutError."""
    open_jobs = list(job_ids)
    async with asyncio.timeout(GIVE_UP_S):
        while len(open_jobs) > len(job_ids) - count:
            for job_id in list(open_jobs):
                if (await http.get(f"/jobs/{job_id}")).json()["status"] in FINAL:
                    open_jobs.remove(job_id)
            await asyncio.sleep(POLL_S)


async def outcomes(http: httpx.AsyncClient, job_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Each job's last record, once it is final or lost. Asks for one job at a time: watching must not be the load.

    Raises TimeoutError.
    """
    async with asyncio.timeout(GIVE_UP_S):
        return [await _outcome(http, job_id) for job_id in job_ids]


async def _outcome(http: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    while True:
        with suppress(httpx.TransportError):  # it is being restarted
            response = await http.get(f"/jobs/{job_id}")
            if response.status_code == 404:
                return {"id": job_id, "status": LOST}
            if response.is_success and response.json()["status"] in FINAL:
                record: dict[str, Any] = response.json()
                return record
        await asyncio.sleep(POLL_S)
