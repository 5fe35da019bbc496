"""Looks into the queues of a Redis broker, past Celery."""

import base64
import json
from typing import Any

import redis


def queued(redis_url: str, queue: str) -> list[dict[str, Any]]:
    """Keyword arguments of the messages that wait, the next one first. The broker is the database after the store's."""
    with redis.Redis.from_url(redis_url.replace("db=0", "db=1")) as client:
        messages = [json.loads(message) for message in reversed(client.lrange(queue, 0, -1))]
    return [json.loads(_decoded(message))[1] for message in messages]


def _decoded(message: dict[str, Any]) -> str:
    return base64.b64decode(message["body"]).decode()
