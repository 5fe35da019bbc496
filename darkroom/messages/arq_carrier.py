"""ARQ as the carrier of messages: what its own `enqueue_job` writes, in one round trip, and from any thread.

ARQ itself is needed by workers alone. Its form of a message has been the same for years, and ARQ is in maintenance;
tests hold this file to what ARQ reads.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from darkroom.messages.broker_url import default_broker_url, redis_py_url
from darkroom.messages.carrier import broker_unavailable
from darkroom.messages.queues import queue_of
from darkroom.server_urls import tls_checks
from darkroom.settings import Settings

QUEUE_PREFIX = "arq:queue:"
JOB_PREFIX = "arq:job:"
# A message that nobody took within ARQ's own limit, a day, is forgotten. The housekeeper sends another.
KEPT_MS = 86_400_000
ANSWER_TIMEOUT_S = 2.0


def arq_queue(queue: str) -> str:
    """As Redis, and whoever uses ARQ, knows a queue of ours."""
    return QUEUE_PREFIX + queue


def arq_url(settings: Settings) -> str:
    return redis_py_url(settings.broker_url or default_broker_url(settings.redis_url))


def serialize(message: Mapping[str, Any]) -> bytes:
    """JSON, and nothing else: a pickled message would run code of whoever reaches the broker.

    ARQ also serializes what went wrong with a message, exceptions among it, before it decides to keep nothing of it.
    """
    return json.dumps(message, default=str).encode()


class ArqCarrier:
    def __init__(self, settings: Settings) -> None:
        url = arq_url(settings)
        # redis-py's annotations differ between the versions that this runs on.
        self._redis: Any = redis.Redis.from_url(
            url,
            socket_connect_timeout=ANSWER_TIMEOUT_S / 2,
            socket_timeout=ANSWER_TIMEOUT_S,
            health_check_interval=30,
            retry=Retry(ConstantBackoff(0.1), retries=1),
            retry_on_error=[redis.ConnectionError, redis.TimeoutError],
            **tls_checks(url),
        )

    def send(self, task: str, kwargs: Mapping[str, str | None]) -> None:
        message_id, now_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000
        message = serialize({"t": None, "f": task, "a": [], "k": dict(kwargs), "et": now_ms})
        with _redis_errors(), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.psetex(JOB_PREFIX + message_id, KEPT_MS, message)
            pipeline.zadd(arq_queue(queue_of(task, kwargs)), {message_id: now_ms})
            pipeline.execute()

    def length(self, queue: str) -> int:
        with _redis_errors():
            return int(self._redis.zcard(arq_queue(queue)))

    def check(self) -> None:
        with _redis_errors():
            self._redis.ping()

    def close(self) -> None:
        self._redis.close()


@contextmanager
def _redis_errors() -> Iterator[None]:
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError) as error:
        # A Redis that answers with an error is full, read-only, or cannot save to its disk.
        raise broker_unavailable(error) from error
