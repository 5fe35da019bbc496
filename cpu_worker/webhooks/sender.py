"""Sends webhooks that are due, hundreds at once in one thread. What each comes to is kept in the job store.

A receiver that hangs holds its place among those under way until its time is over; so each has some places alone.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from darkroom.errors import DarkroomError, UnknownJob, UrlForbidden, UrlUnreachable
from darkroom.fetching.guarded_post import Answered
from darkroom.job_store.store import JobStore
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.job_store.webhooks.signing_secrets import SigningSecrets
from darkroom.jobs import Job
from darkroom.webhooks.delivery import Delivery, Try, delay_s
from darkroom.webhooks.signing import signed_headers

log = structlog.get_logger()

MOST_UNDER_WAY = 500
MOST_OF_A_RECEIVER = 50
# A receiver with too many under way is asked again so soon; that is no try.
PUT_OFF_S = 1.0
GONE = 410


class Post(Protocol):
    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        """Raises UrlForbidden, UrlUnreachable."""


class WebhookSender:
    def __init__(
        self,
        deliveries: Deliveries,
        secrets: SigningSecrets,
        store: JobStore,
        said: Callable[[Delivery, Job], str],
        post: Post,
        chance: Callable[[], float] = random.random,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._deliveries = deliveries
        self._secrets = secrets
        self._store = store
        self._said = said
        self._post = post
        self._chance = chance
        self._now = now
        self._under_way: set[asyncio.Task[None]] = set()
        self._of_receiver: Counter[str] = Counter()

    async def start_due(self) -> int:
        """How many were begun. Raises RedisUnavailable."""
        free = MOST_UNDER_WAY - len(self._under_way)
        due = await asyncio.to_thread(self._deliveries.take, free) if free > 0 else []
        for delivery in due:
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(due)

    async def finish(self) -> None:
        """All that is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self._try(delivery)
        except DarkroomError as error:
            # It is due again after a minute.
            log.warning("webhook.put_off", job_id=delivery.job_id, code=error.code, reason=error.message)
        except Exception:
            log.exception("webhook.failed", job_id=delivery.job_id, webhook_event=delivery.event)

    async def _try(self, delivery: Delivery) -> None:
        try:
            job = await asyncio.to_thread(self._store.get, delivery.job_id)
        except UnknownJob:
            # Deleted, and its deliveries with it.
            return
        url = await asyncio.to_thread(self._deliveries.url_of, job.id) or ""
        if await asyncio.to_thread(self._deliveries.is_disabled, job.owner, url):
            last = Try(at_ms=int(1000 * self._now()), reason="The receiver has said 410 to another webhook.")
            await asyncio.to_thread(self._deliveries.settle, delivery, last, "disabled")
            return
        receiver = urlsplit(url).netloc
        if self._of_receiver[receiver] >= MOST_OF_A_RECEIVER:
            await asyncio.to_thread(self._deliveries.put_off, delivery, PUT_OFF_S)
            return
        self._of_receiver[receiver] += 1
        try:
            await self._send(delivery, job, url)
        finally:
            self._of_receiver -= Counter([receiver])

    async def _send(self, delivery: Delivery, job: Job, url: str) -> None:
        body = await asyncio.to_thread(self._said, delivery, job)
        known = await asyncio.to_thread(self._secrets.of, job.owner)
        began = self._now()
        answered, reason, is_hopeless = None, "", False
        try:
            headers = signed_headers(delivery.id, body, known.all, began)
            answered = await self._post.post(url, body.encode(), headers)
        except UrlUnreachable as error:
            reason = error.message
        except UrlForbidden as error:
            reason, is_hopeless = error.message, True
        last = Try(
            at_ms=int(1000 * began),
            status=answered.status if answered else None,
            reason=reason,
            seconds=round(self._now() - began, 3),
        )
        await asyncio.to_thread(self._conclude, delivery, job.owner, url, last, answered, is_hopeless)

    def _conclude(
        self, delivery: Delivery, owner: str, url: str, last: Try, answered: Answered | None, is_hopeless: bool
    ) -> None:
        if answered and 200 <= answered.status < 300:
            self._deliveries.settle(delivery, last, "delivered")
            return
        if answered and answered.status == GONE:
            self._deliveries.disable(owner, url)
            self._deliveries.settle(delivery, last, "disabled")
            return
        failed = self._deliveries.failed(delivery) + 1
        wait_s = delay_s(failed, self._chance(), answered.retry_after_s if answered else None)
        if is_hopeless or wait_s is None:
            self._deliveries.settle(delivery, last, "failed")
            log.warning("webhook.given_up", job_id=delivery.job_id, webhook_event=delivery.event, tries=failed)
        else:
            self._deliveries.put_off(delivery, wait_s, last)
