"""When each API key was last used, so that an operator can tell which may go. Knows names, never keys."""

from datetime import UTC, datetime

from darkroom.api_keys import named_keys
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.settings import Settings


def note_use(client: Client, name: str) -> None:
    """Raises RedisUnavailable."""
    with redis_errors():
        client.hset(keys.KEYS_USED(), name, client.time()[0])


def last_uses(client: Client, settings: Settings) -> dict[str, datetime | None]:
    """Of every key that is configured now, and of those that were used and are gone.

    Raises Misconfigured, RedisUnavailable.
    """
    names = [name for name, _ in named_keys(settings)]
    with redis_errors():
        times: dict[str, str] = client.hgetall(keys.KEYS_USED())
    used = {name: datetime.fromtimestamp(int(seconds), UTC) for name, seconds in times.items()}
    return {name: used.get(name) for name in dict.fromkeys([*names, *sorted(used)])}
