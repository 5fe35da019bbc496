"""How each system is asked for one image, as its users do it: from a work to the file's bytes."""

import asyncio
from base64 import b64decode
from dataclasses import asdict
from typing import Any

import httpx

from benchmarks.traffic import Draw
from benchmarks.work import Work

FINAL = frozenset({"succeeded", "failed", "canceled"})
WAIT_S = 60
POLL_S = 0.25


class DarkroomClient:
    """Posts a job, waits for it, and fetches the image through its signed URL."""

    def __init__(self, http: httpx.AsyncClient, model: str, side: int) -> None:
        self._http = http
        self._model = model
        self._side = side

    async def draw(self, work: Work) -> bytes:
        return await self.image(await self.finished(work))

    async def post(self, work: Work, priority: str = "interactive", *, wait_s: int = 0) -> dict[str, Any]:
        body = {**asdict(work), "model": self._model, "width": self._side, "height": self._side, "priority": priority}
        headers = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        return _record(await self._http.post("/generate", json=body, headers=headers))

    async def read(self, job_id: str) -> dict[str, Any]:
        return _record(await self._http.get(f"/jobs/{job_id}"))

    async def cancel(self, job_id: str) -> None:
        await self._http.post(f"/jobs/{job_id}/cancel")  # one that is final already refuses, which is fine

    async def finished(self, work: Work) -> dict[str, Any]:
        """The record of a job that succeeded."""
        job = await self.post(work, wait_s=WAIT_S)
        while job["status"] not in FINAL:
            await asyncio.sleep(POLL_S)
            job = await self.read(job["id"])
        if job["status"] != "succeeded":
            raise RuntimeError(f"The job {job['status']}: {job['error']}")
        return job

    async def image(self, job: dict[str, Any]) -> bytes:
        return (await self._http.get(job["images"][0]["url"])).raise_for_status().content


def plain_client(http: httpx.AsyncClient) -> Draw:
    """Of a server that keeps the request open, and answers with the file."""

    async def draw(work: Work) -> bytes:
        return (await http.post("/draw", json=asdict(work))).raise_for_status().content

    return draw


def bentoml_client(http: httpx.AsyncClient) -> Draw:
    """Its batches are lists on both sides: each client sends a list of one."""

    async def draw(work: Work) -> bytes:
        response = await http.post("/draw", json={"works": [asdict(work)]})
        return b64decode(response.raise_for_status().json()[0])

    return draw


def _record(response: httpx.Response) -> dict[str, Any]:
    record: dict[str, Any] = response.raise_for_status().json()
    return record
