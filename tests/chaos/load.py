"""A steady load as patient clients make it. Knows no faults."""

import asyncio
import time
from random import Random

from tests.chaos.client import PATIENCE_S, Client
from tests.chaos.ledger import Ledger, Order
from tests.chaos.pool import POOL

# How often a client does something else than to wait for its images.
REPEATED, WATCHED, CANCELED, DELETED = 0.10, 0.15, 0.15, 0.10
# Before a client cancels or deletes: many jobs wait or run then, some are done.
MEAN_DOUBT_S = 0.3


class Load:
    """`jobs` orders at Poisson moments over `seconds`, of which `poison` kill their workers."""

    def __init__(self, url: str, seed: int, ledger: Ledger) -> None:
        self._client = Client(url, ledger)
        self._random = Random(f"load {seed}")
        self._seed = seed
        self._ledger = ledger

    async def run(self, jobs: int, seconds: float, poison: int = 0) -> None:
        moments = sorted(self._random.uniform(0, seconds) for _ in range(jobs))
        are_poison = {(2 * number + 1) * jobs // (2 * poison) for number in range(poison)}
        start = time.monotonic()
        async with self._client.http, asyncio.TaskGroup() as clients:
            for number, moment in enumerate(moments):
                await asyncio.sleep(max(0, start + moment - time.monotonic()))
                key = f"chaos-{self._seed}-{number}"
                order = Order(self._random.randrange(len(POOL)), key, is_poison=number in are_poison)
                self._ledger.orders.append(order)
                clients.create_task(self._follow(order, Random(f"{self._seed} {number}")))

    async def _follow(self, order: Order, random: Random) -> None:
        """One client's life."""
        deadline = time.monotonic() + PATIENCE_S
        await self._client.post(order, deadline)
        if not order.job_ids or order.is_poison:
            return
        if random.random() < REPEATED:
            await self._client.post(order, deadline)
        [job_id, *_] = order.job_ids
        match random.random():
            case chance if chance < WATCHED:
                await self._client.watch(order, job_id, deadline)
            case chance if chance < WATCHED + CANCELED:
                await asyncio.sleep(random.expovariate(1 / MEAN_DOUBT_S))
                await self._client.cancel(order, job_id, deadline)
            case chance if chance < WATCHED + CANCELED + DELETED:
                await asyncio.sleep(random.expovariate(1 / MEAN_DOUBT_S))
                await self._client.delete(order, job_id, deadline)
