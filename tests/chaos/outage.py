"""Redis or RabbitMQ stopped for a while and started again: what clients are told meanwhile, and what goes on after."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

import httpx

from tests.chaos.client import PATIENCE_S, Client
from tests.chaos.ledger import Ledger, Order
from tests.chaos.pool import POOL
from tests.chaos.service import Service

WATCHED = 6
EVERY_S = 0.5
PROCESSES = ("api", "gpu-1", "gpu-2", "cpu")


@dataclass(frozen=True)
class Outage:
    part: str
    answers: Counter[int]
    """To `POST /generate` while it lasted, by status; 0 where none came in time."""
    slowest_answer_s: float
    recovery_s: float
    """Until a job that was accepted afterwards had succeeded."""
    unheard: int
    """Watchers from before that were not told of their job's end exactly once."""
    restarted: list[str]
    """Processes that are others than before."""

    def is_spotless(self) -> bool:
        # A wake-up may be written to RabbitMQ just as it goes: it is replaced. A worker that has a lane free may claim
        # the job before its wake-up fails: then it is taken, or done already. The oracle sees that such jobs end.
        may_come = {200, 202, 503} if self.part == "rabbitmq" else {503}
        return 503 in self.answers and set(self.answers) <= may_come and not (self.unheard or self.restarted)


async def endure(service: Service, part: str, seconds: float, ledger: Ledger) -> Outage:
    """What is ordered here is added to `ledger`, for the oracle to judge."""
    client = Client(service.url, ledger)
    before = {name: service.parts[name].process.pid for name in PROCESSES}
    async with client.http:
        watched = await _watched(client, part, ledger)
        held = service.parts[part]
        async with held.held:
            await asyncio.to_thread(held.process.stop)
            answers, times = await _ask_meanwhile(client.http, seconds)
            await asyncio.to_thread(held.process.start)
        began = time.monotonic()
        after = _order(f"after {part}", ledger)
        await client.post(after, began + PATIENCE_S)
        await client.watch(after, next(iter(after.job_ids)), began + PATIENCE_S)
        recovery_s = time.monotonic() - began
        await asyncio.gather(*watched.values())
    unheard = sum(order.ends_seen != 1 for order in ledger.orders if order.key in watched)
    restarted = [name for name in PROCESSES if service.parts[name].process.pid != before[name]]
    return Outage(part, answers, max(times, default=0), recovery_s, unheard, restarted)


async def _watched(client: Client, part: str, ledger: Ledger) -> dict[str, "asyncio.Task[None]"]:
    """Jobs under way, each with a watcher, by their keys."""
    tasks = {}
    for number in range(WATCHED):
        order = _order(f"before {part} {number}", ledger)
        await client.post(order, time.monotonic() + PATIENCE_S)
        watch = client.watch(order, next(iter(order.job_ids)), time.monotonic() + PATIENCE_S)
        tasks[order.key] = asyncio.ensure_future(watch)
    return tasks


async def _ask_meanwhile(http: httpx.AsyncClient, seconds: float) -> tuple[Counter[int], list[float]]:
    """Orders that are to be refused, without a key: were one taken, the oracle would find a job that nobody knows."""
    answers: Counter[int] = Counter()
    times: list[float] = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        try:
            answers[(await http.post("/generate", json=POOL[0])).status_code] += 1
        except httpx.TransportError:
            answers[0] += 1
        times.append(time.monotonic() - began)
        await asyncio.sleep(EVERY_S)
    return answers, times


def _order(key: str, ledger: Ledger) -> Order:
    """The longest of the pool."""
    order = Order(max(range(len(POOL)), key=lambda index: POOL[index]["steps"]), f"outage {key}")
    ledger.orders.append(order)
    return order
