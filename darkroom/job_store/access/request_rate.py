"""How often a key may ask for images: a moving window of a minute, kept by the library `limits` in the same Redis.

Its script looks and counts in one step, so the bound is exact however many processes there are.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from darkroom.errors import RateLimited
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors

WINDOW_S = 60


@dataclass(frozen=True)
class Window:
    """What is left of it, and in how many seconds there is more."""

    most: int
    left: int
    reset_s: int


class RequestRate:
    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        storage = RedisStorage("redis://", connection_pool=client.connection_pool, key_prefix=keys.REQUEST_RATE.prefix)
        self._limiter = MovingWindowRateLimiter(storage)
        self._clock = clock

    def take(self, owner: str, most: int) -> Window:
        """Count a request. Raises RateLimited, RedisUnavailable."""
        item = RateLimitItemPerMinute(most, namespace="minute")
        with redis_errors():
            is_taken = self._limiter.hit(item, owner)
            stats = self._limiter.get_window_stats(item, owner)
        window = Window(most, stats.remaining, max(1, math.ceil(stats.reset_time - self._clock())))
        if not is_taken:
            raise RateLimited(
                f"This key may send {most} requests for images in a minute, and has. Send the next one in "
                f"{window.reset_s} s.",
                retry_after_s=window.reset_s,
            )
        return window
