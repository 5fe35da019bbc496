"""How long a model's waiting line is."""

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.request import Priority


def line_length(client: Client, model: str) -> int:
    """Of both classes. Raises RedisUnavailable."""
    with redis_errors():
        return sum(int(client.zcard(keys.LINE(model, name))) for name in Priority)
