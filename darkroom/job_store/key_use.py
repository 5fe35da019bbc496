"""When each API key was last used, so that an operator can tell which may go. Knows names, never keys."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from darkroom.api_keys import named_keys
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.settings import Settings

NOTED_EVERY_S = 60.0


class KeyUse:
    """Noted once a minute for each key by each process: an operator asks for days."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = client
        self._clock = clock
        self._due_s: dict[str, float] = {}

    def note(self, name: str) -> None:
        """Raises RedisUnavailable."""
        now_s = self._clock()
        if now_s < self._due_s.get(name, now_s):
            return
        with redis_errors():
            self._redis.hset(keys.KEYS_USED(), name, self._redis.time()[0])
        self._due_s[name] = now_s + NOTED_EVERY_S


def last_uses(client: Client, settings: Settings) -> dict[str, datetime | None]:
    """Of every key that is configured now, and of those that were used and are gone.

    Raises Misconfigured, RedisUnavailable.
    """
    names = [name for name, _ in named_keys(settings)]
    with redis_errors():
        times: dict[str, str] = client.hgetall(keys.KEYS_USED())
    used = {name: datetime.fromtimestamp(int(seconds), UTC) for name, seconds in times.items()}
    return {name: used.get(name) for name in dict.fromkeys([*names, *sorted(used)])}
