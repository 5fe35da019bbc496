"""Connections to the job store's Redis, its errors in our words, and its clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import redis
import redis.asyncio
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from darkroom.errors import JobStoreFull, RedisUnavailable
from darkroom.server_urls import tls_checks

# A redis.Redis whose answers are text. redis-py's annotations cannot tell it from one that answers bytes.
Client: TypeAlias = Any

# Waits that a client's request can afford, each tried twice: about two seconds where nobody listens, about four where
# Redis is there and stalls. A script takes less than a millisecond.
CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 2.0
# redis-py before 6 tries only what is named here again.
WORTH_A_RETRY: list[type[Exception]] = [redis.ConnectionError, redis.TimeoutError]
# Not before this is something given up that was sent, and never answered.
GIVES_UP_AFTER_S = 2 * ANSWER_TIMEOUT_S
# Clocks drift apart, and are set.
KNOWN_FOR_S = 60.0


def connect(url: str) -> Client:
    """Does not touch the network yet."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=1),
        retry_on_error=WORTH_A_RETRY,
        **tls_checks(url),
    )


def store_full() -> JobStoreFull:
    return JobStoreFull(
        "The job store (Redis) is full, and takes no more jobs until others have ended and were removed. Try again "
        "later; an operator raises the `maxmemory` of Redis, or shortens DARKROOM_RETENTION_S."
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Raises RedisUnavailable for whatever trying again later can cure."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError) as error:
        raise RedisUnavailable(
            f"The job store (Redis) does not answer ({type(error).__name__}). Try again in a few seconds."
        ) from error
    except redis.ResponseError as error:
        # Redis 6 wraps it, when a script met it, in words of its own.
        if isinstance(error, redis.OutOfMemoryError) or "OOM command not allowed" in str(error):
            raise store_full() from error
        # Redis refuses to write while it cannot save to its disk; it has no class of its own for that.
        if "MISCONF" not in str(error):
            raise
        raise RedisUnavailable(
            "The job store (Redis) cannot write to its disk, and takes nothing new until it can."
        ) from error


class RedisClock:
    """Redis's time, as this process knows it without asking: by it, what comes too late is refused there.

    Safe to share between threads.
    """

    def __init__(self, client: Client, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = client
        self._monotonic = monotonic
        self._looked: tuple[float, float] | None = None
        """Our time, and how far Redis's was ahead of it then at least."""

    def look(self) -> None:
        """Raises RedisUnavailable."""
        with redis_errors():
            seconds, microseconds = self._redis.time()
        # As if the answer had taken no time, so that what is told is never ahead of Redis's own.
        at_s = self._monotonic()
        self._looked = at_s, int(seconds) + int(microseconds) / 1e6 - at_s

    def at_ms(self, moment_s: float) -> int:
        """What Redis's clock shows at a moment of ours, or a little less. Raises RedisUnavailable."""
        if self._looked is None or self._monotonic() - self._looked[0] > KNOWN_FOR_S:
            self.look()
        assert self._looked
        return int((moment_s + self._looked[1]) * 1000)
