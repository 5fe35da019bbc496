"""Redis's time, as this process knows it without asking: by it, what comes too late is refused there."""

import time
from collections.abc import Callable

from darkroom.job_store.redis_client import Client, redis_errors

# Clocks drift apart, and are set.
KNOWN_FOR_S = 60.0


class RedisClock:
    """Safe to share between threads."""

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
