"""What happened to a job, kept in order, so that a late or reconnecting watcher misses nothing.

Scripts write events to a stream a job and then publish a word on the job's channel. A process that has
watchers holds one subscription for them all, not one blocking connection each.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
import structlog

from darkroom.redis_client import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, redis_errors

log = structlog.get_logger()

FIRST = "0-0"
EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")
FINAL = frozenset({"succeeded", "failed", "canceled"})
# Watchers look again after this even if nothing was said: a word published while the subscription was down is lost.
LOOK_AGAIN_S = 2.0


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
        self._redis: Any = redis.asyncio.Redis.from_url(
            url, decode_responses=True, socket_connect_timeout=CONNECT_TIMEOUT_S, socket_timeout=ANSWER_TIMEOUT_S
        )
        self._pubsub: Any = self._redis.pubsub(ignore_subscribe_messages=True)
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    async def read(self, job_id: str, after: str = FIRST) -> list[Event]:
        """Events behind `after`, the oldest first. Raises RedisUnavailable."""
        with redis_errors():
            rows = await self._redis.xrange(f"darkroom:events:{job_id}", min=f"({after}", max="+")
        return [Event(event_id, fields["type"], json.loads(fields["data"])) for event_id, fields in rows]

    async def follow(self, job_id: str, after: str, told: asyncio.Event) -> AsyncIterator[Event | None]:
        """Events behind `after` as they come, up to the final one; None now and then while there is nothing new.

        Raises RedisUnavailable.
        """
        while True:
            events = await self.read(job_id, after)
            for event in events:
                after = event.id
                yield event
                if event.is_final:
                    return
            if not events:
                yield None
            await self.wait(told)

    async def wait(self, word: asyncio.Event, timeout_s: float = LOOK_AGAIN_S) -> None:
        """Until something is told about the job, or the time is over."""
        try:
            await asyncio.wait_for(word.wait(), timeout_s)
        except TimeoutError:
            return
        word.clear()

    @asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[asyncio.Event]:
        """An asyncio.Event that is set whenever something is told about this job."""
        word = asyncio.Event()
        channel = f"darkroom:told:{job_id}"
        self._watchers[channel].add(word)
        try:
            await self._subscribe(channel)
            yield word
        finally:
            self._watchers[channel].discard(word)
            if not self._watchers[channel]:
                del self._watchers[channel]
                await self._unsubscribe(channel)

    async def close(self) -> None:
        if self._listener:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._pubsub.aclose()
        await self._redis.aclose()

    async def _subscribe(self, channel: str) -> None:
        with redis_errors():
            await self._pubsub.subscribe(channel)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())

    async def _unsubscribe(self, channel: str) -> None:
        try:
            await self._pubsub.unsubscribe(channel)
        except redis.RedisError as error:
            # The connection is gone and its subscriptions with it.
            log.debug("events.unsubscribe_failed", error=type(error).__name__)

    async def _listen(self) -> None:
        """Ends when nobody watches any more; survives a Redis that goes away and comes back."""
        while self._watchers:
            try:
                told = await self._pubsub.get_message(timeout=LOOK_AGAIN_S)
            except redis.RedisError as error:
                log.warning("events.subscription_lost", error=type(error).__name__)
                await asyncio.sleep(0.5)
                continue
            for word in self._watchers.get(told["channel"], ()) if told else ():
                word.set()
