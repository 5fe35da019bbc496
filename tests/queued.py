"""Looks into the queues of a Redis broker, past Celery and ARQ."""

import base64
import json
from typing import Any

import redis

from darkroom.messages.arq_carrier import JOB_PREFIX, arq_queue


def queued(redis_url: str, queue: str) -> list[dict[str, Any]]:
    """Keyword arguments of the messages that wait, the next one first. The broker is the database after the store's."""
    with redis.Redis.from_url(redis_url.replace("db=0", "db=1")) as client:
        of_celery = [json.loads(message) for message in reversed(client.lrange(queue, 0, -1))]
        of_arq = [client.get(f"{JOB_PREFIX}{key.decode()}") for key in client.zrange(arq_queue(queue), 0, -1)]
    return [json.loads(_decoded(message))[1] for message in of_celery] + [
        json.loads(message)["k"] for message in of_arq
    ]


def _decoded(message: dict[str, Any]) -> str:
    return base64.b64decode(message["body"]).decode()
