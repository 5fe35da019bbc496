"""The Redis client of ARQ's workers: while Redis is away or full it waits, where ARQ's own ends the worker.

A worker that ends with its broker would take all its jobs along.
"""

import asyncio
import dataclasses
import json
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import redis.asyncio
import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, WatchError

from darkroom.messages.arq_carrier import serialize
from darkroom.server_urls import tls_checks, tls_files

log = structlog.get_logger()

ANSWER_TIMEOUT_S = 5.0
RETRY_S = 0.5
# All that trying again later can cure.
CURABLE: list[type[Exception]] = [OSError, redis.ConnectionError, redis.TimeoutError, ReadOnlyError, OutOfMemoryError]


def worker_client(url: str, queue: str) -> ArqRedis:
    """Does not touch the network yet."""
    pool = PatientPool.from_url(
        url,
        socket_connect_timeout=ANSWER_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        health_check_interval=30,
        retry=ToldRetry(ConstantBackoff(RETRY_S), retries=-1),
        retry_on_error=CURABLE,
        **tls_checks(url),
    )
    return PatientClient(pool, job_serializer=serialize, job_deserializer=json.loads, default_queue_name=queue)


def settings_for_check(url: str) -> RedisSettings:
    """For `arq --check`, which makes a client of its own. ARQ reads neither escapes nor TLS files from a URL."""
    plain = RedisSettings.from_dsn(url)
    password = unquote(plain.password) if plain.password else None
    return dataclasses.replace(plain, password=password, **tls_checks(url), **tls_files(url))


class ToldRetry(Retry):
    """Says why it waits."""

    async def call_with_retry(self, do: Any, fail: Any, *more: Any, **others: Any) -> Any:
        async def told(error: Any) -> None:
            _tell(error)
            await fail(error)

        return await super().call_with_retry(do, told, *more, **others)


def _tell(error: Exception) -> None:
    log.warning("broker.away", reason=f"{type(error).__name__}: {error}")


class PatientPool(redis.asyncio.ConnectionPool):
    """Tries again what follows a new connection, too: a Redis that still reads its file refuses it."""

    async def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        while True:
            try:
                return await super().get_connection(*args, **kwargs)  # type: ignore[no-untyped-call]
            except tuple(CURABLE) as error:
                _tell(error)
                await asyncio.sleep(RETRY_S)


class PatientClient(ArqRedis):  # type: ignore[misc]
    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "PatientPipeline":
        return PatientPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    async def delete(self, *names: Any) -> Any:
        """ARQ deletes its health key as it leaves. A Redis that is away shall not keep it from that."""
        with suppress(TimeoutError, RedisError):
            async with asyncio.timeout(ANSWER_TIMEOUT_S / 2):
                return await super().delete(*names)


class PatientPipeline(Pipeline):
    """One that goes on after the connection was lost on which it watched a key.

    ARQ looks at keys that it watches, and ends if that fails. What changes meanwhile can bring a message twice, which
    is harmless here.
    """

    _watched: tuple[Any, ...] = ()

    async def watch(self, *names: Any) -> None:  # type: ignore[override]  # as redis-py does it
        self._watched = names
        await super().watch(*names)

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except WatchError:
            await self.watch(*self._watched)
            return await self.immediate_execute_command(*args, **options)
