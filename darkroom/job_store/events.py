"""What happened to a job, kept in order, so that a late or reconnecting watcher misses nothing.

Scripts write events to a stream a job and then publish a word on the job's channel. A process that has
watchers holds one subscription for them all, not one blocking connection each.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from darkroom.job_store import keys
from darkroom.job_store.redis_client import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, WORTH_A_RETRY, redis_errors
from darkroom.job_store.subscription import Subscription
from darkroom.server_urls import tls_checks

FIRST = "0-0"
# Redis counts both halves in 64 bits; 18 digits always fit, and last for longer than this will run.
EVENT_ID = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")
FINAL = frozenset({"succeeded", "failed", "canceled"})
# Watchers look again after this even if nothing was said: a word published while the subscription was down is lost.
LOOK_AGAIN_S = 2.0
MOST_CONNECTIONS = 16


@dataclass(frozen=True)
class Event:
    """`id` is the position in the job's stream: give it back to go on behind it."""

    id: str
    type: str
    data: dict[str, Any]

    @property
    def is_final(self) -> bool:
        return self.type in FINAL


class EventFeed:
    """Events of many jobs for many watchers, in one event loop."""

    def __init__(self, url: str) -> None:
        # A restart of Redis wakes all watchers at once; they take turns on a few connections.
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=ANSWER_TIMEOUT_S,
            decode_responses=True,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=1),
            retry_on_error=WORTH_A_RETRY,
            **tls_checks(url),
        )
        self._redis: Any = redis.asyncio.Redis.from_pool(pool)
        self._subscription = Subscription(self._redis, self._wake)
        self._watchers: dict[str, set[asyncio.Event]] = {}

    @property
    def watchers(self) -> int:
        return sum(len(words) for words in self._watchers.values())

    async def read(self, job_id: str, after: str = FIRST) -> list[Event]:
        """Events behind `after`, the oldest first. Raises RedisUnavailable."""
        with redis_errors():
            rows = await self._redis.xrange(keys.EVENTS(job_id), min=f"({after}", max="+")
        return [Event(event_id, fields["type"], json.loads(fields["data"])) for event_id, fields in rows]

    async def preview(self, job_id: str, after: str = FIRST) -> Event | None:
        """The newest preview of a running job, unless it is the one whose id is `after`. Raises RedisUnavailable.

        Previews have ids of their own, which say nothing about where to go on among the events.
        """
        with redis_errors():
            rows = await self._redis.xrange(keys.PREVIEW(job_id), min=f"({after}", max="+")
        if not rows:
            return None
        event_id, fields = rows[-1]
        at_ms = int(event_id.partition("-")[0])
        return Event(event_id, fields["type"], {**json.loads(fields["data"]), "at_ms": at_ms})

    async def wait(self, word: asyncio.Event, timeout_s: float = LOOK_AGAIN_S) -> None:
        """Until something happens to the job, or the time is over."""
        try:
            await asyncio.wait_for(word.wait(), timeout_s)
        except TimeoutError:
            return
        word.clear()

    @contextmanager
    def watch(self, job_id: str, *, only_the_end: bool = False) -> Iterator[asyncio.Event]:
        """An asyncio.Event that is set whenever something happens to this job, or once when it ends.

        Needs no answer of Redis.
        """
        word = asyncio.Event()
        channel = (keys.ENDED if only_the_end else keys.CHANGED)(job_id)
        self._watchers.setdefault(channel, set()).add(word)
        self._subscription.add(channel)
        try:
            yield word
        finally:
            self._watchers[channel].discard(word)
            if not self._watchers[channel]:
                del self._watchers[channel]
                self._subscription.discard(channel)

    async def close(self) -> None:
        await self._subscription.close()
        await self._redis.aclose()

    def _wake(self, channel: str) -> None:
        for word in self._watchers.get(channel, ()):
            word.set()
