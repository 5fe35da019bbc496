"""One connection that hears words on many Redis channels, and goes on by itself after Redis was away.

Channels may be added and discarded by any task of the event loop; a task of its own alone touches the connection.
redis-py's PubSub is not made for several: two first subscribers at once open a connection each, and one's channel
is never heard.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import redis
import structlog

log = structlog.get_logger()

# A connection that was silent for this long is asked for a sign of life; silent once more, it is opened anew.
SILENCE_S = 15.0
RECONNECT_S = 0.5


class Subscription:
    """`hear` is called with a channel's name for each word on it, and once more whenever it is newly subscribed:

    what was said before that went unheard, so whoever waits should look for himself.
    """

    def __init__(self, client: Any, hear: Callable[[str], None]) -> None:
        self._redis = client
        self._hear = hear
        self._wanted: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def add(self, channel: str) -> None:
        """Returns at once, whether or not Redis answers."""
        self._wanted.add(channel)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def discard(self, channel: str) -> None:
        self._wanted.discard(channel)
        self._changed.set()

    async def close(self) -> None:
        # Canceling alone is not enough: up to Python 3.11, asyncio.wait_for, with which redis-py sends, may swallow it.
        self._is_closed = True
        self._changed.set()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._is_closed:
            try:
                await self._connected()
            except (redis.RedisError, OSError) as error:
                log.warning("events.subscription_lost", reason=type(error).__name__)
                await asyncio.sleep(RECONNECT_S)
            except Exception:  # watchers would fall back to looking now and then, and nobody would know why
                log.exception("events.subscription_failed")
                await asyncio.sleep(RECONNECT_S)

    async def _connected(self) -> None:
        """Until closed, or until the connection is lost: then raises what lost it."""
        async with self._redis.pubsub() as pubsub:
            await pubsub.connect()  # without a connection there is nothing to read from yet
            reading = asyncio.create_task(self._read(pubsub))
            reading.add_done_callback(lambda _: self._changed.set())
            try:
                await self._follow_changes(pubsub, reading)
            finally:
                reading.cancel()
        [outcome] = await asyncio.gather(reading, return_exceptions=True)
        if isinstance(outcome, Exception) and not self._is_closed:
            raise outcome

    async def _follow_changes(self, pubsub: Any, reading: "asyncio.Task[None]") -> None:
        subscribed: set[str] = set()
        while not (self._is_closed or reading.done()):
            self._changed.clear()
            wanted = set(self._wanted)
            if wanted - subscribed:
                await pubsub.subscribe(*(wanted - subscribed))
            if subscribed - wanted:
                await pubsub.unsubscribe(*(subscribed - wanted))
            subscribed = wanted
            await self._changed.wait()

    async def _read(self, pubsub: Any) -> None:
        was_silent = False
        while not self._is_closed:
            message = await pubsub.get_message(timeout=SILENCE_S)
            if message is None and was_silent:
                raise redis.ConnectionError("The subscription's connection is silent.")
            was_silent = message is None
            if message is None:
                await pubsub.ping()
            elif message["type"] in {"message", "subscribe"}:
                self._hear(message["channel"])
