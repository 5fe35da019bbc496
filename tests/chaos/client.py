"""One patient client, over HTTP alone: it orders, watches, cancels and deletes, and asks again where it may."""

import asyncio
import time
from typing import Any

import httpx

from tests.chaos.ledger import Ledger, Order
from tests.chaos.pool import CRASH, POOL

# More than any wait that a busy machine makes of these faults: what is slow is no fault of its own here.
PATIENCE_S = 600
FINAL = frozenset({"succeeded", "failed", "canceled"})
AGAIN_AFTER_S = 0.5


class Client:
    def __init__(self, url: str, ledger: Ledger) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=5, trust_env=False, limits=httpx.Limits(max_connections=64))
        self._ledger = ledger

    async def post(self, order: Order, deadline: float) -> None:
        headers = {"Idempotency-Key": order.key}
        body = CRASH if order.is_poison else POOL[order.request]
        answer = await self._ask("POST", "/generate", deadline, json=body, headers=headers)
        if answer is None:
            return
        if answer.status_code not in {200, 202}:
            self._surprise(answer)
            return
        order.job_ids.add(answer.json()["id"])
        order.accepted_at = order.accepted_at or time.time()

    async def cancel(self, order: Order, job_id: str, deadline: float) -> None:
        answer = await self._ask("POST", f"/jobs/{job_id}/cancel", deadline)
        if answer is None or answer.status_code == 409:  # it was final already
            return
        if answer.status_code != 200:
            self._surprise(answer)
        order.canceled = answer.is_success and answer.json()["status"] == "canceled"

    async def delete(self, order: Order, job_id: str, deadline: float) -> None:
        answer = await self._ask("DELETE", f"/jobs/{job_id}", deadline)
        if answer is None:
            return
        # 404: an earlier try was done, and its answer was lost.
        order.deleted = answer.status_code in {204, 404}
        if not order.deleted:
            self._surprise(answer)

    async def watch(self, order: Order, job_id: str, deadline: float) -> None:
        """As a browser's EventSource does: reconnect, and resume behind the last event."""
        order.watched = True
        last_id = ""
        while time.monotonic() < deadline and not order.ends_seen:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                async with self.http.stream("GET", f"/jobs/{job_id}/events", headers=headers, timeout=20) as stream:
                    if stream.status_code == 204:
                        return
                    async for line in stream.aiter_lines():
                        name, _, value = line.partition(": ")
                        last_id = value if name == "id" else last_id
                        order.ends_seen += name == "event" and value in FINAL
            except httpx.TransportError:
                self._ledger.cut += 1
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _ask(self, method: str, path: str, deadline: float, **options: Any) -> httpx.Response | None:
        """Tries again where a client may: the answer was lost, or says to come back. None when patience is over."""
        while time.monotonic() < deadline:
            try:
                answer = await self.http.request(method, path, **options)
            except httpx.TransportError:
                self._ledger.cut += 1
            else:
                if answer.status_code not in {429, 503}:
                    return answer
                self._ledger.refused += 1
            await asyncio.sleep(AGAIN_AFTER_S)
        self._ledger.surprises.append(
            f"{method} {path.partition('/')[2].partition('/')[0]}: no answer in {PATIENCE_S} s"
        )
        return None

    def _surprise(self, answer: httpx.Response) -> None:
        self._ledger.surprises.append(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:200]}"
        )
