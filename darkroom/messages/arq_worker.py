"""What ARQ's workers of both kinds have alike: how ARQ takes a message, and how it hears that it shall leave."""

import asyncio
import json
import logging
import math
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar

from darkroom import log
from darkroom.messages.arq_carrier import arq_queue, arq_url, serialize
from darkroom.messages.arq_client import settings_for_check, worker_client
from darkroom.settings import Settings

T = TypeVar("T")

# ARQ looks for messages this often. Each costs half of it on average; a look costs Redis one short answer.
POLL_S = 0.05
HEALTH_S = 10
# ARQ would cancel its tasks when the grace period ends. Ours end by themselves then, or their process is ended.
LEAVES_WITHIN_S = 30


def common(settings: Settings, queue: str, kind: str, longest_s: float) -> dict[str, Any]:
    """For a worker's `WorkerSettings`, which ARQ takes as a dictionary too. `longest_s`: what no task may exceed."""
    name = worker_name(settings, kind)
    return {
        "queue_name": arq_queue(queue),
        # For `arq --check` alone.
        "redis_settings": settings_for_check(arq_url(settings)),
        "redis_pool": worker_client(arq_url(settings), arq_queue(queue)),
        "job_serializer": serialize,
        "job_deserializer": json.loads,
        # Of this worker alone, or one that lives would answer for one that hangs.
        "health_check_key": f"{arq_queue(queue)}:health-check:{name}",
        "health_check_interval": HEALTH_S,
        "poll_delay": POLL_S,
        "job_timeout": math.ceil(longest_s),
        "job_completion_wait": math.ceil(settings.grace_s) + LEAVES_WITHIN_S,
        # Results live in the job store.
        "keep_result": 0,
        "log_results": False,
        "on_job_start": take,
    }


def worker_name(settings: Settings, kind: str) -> str:
    return settings.worker_name or f"{kind}@{socket.gethostname()}"


async def take(ctx: dict[str, Any]) -> None:
    """A message that work began on is in its queue no more, so the queue's length is what waits.

    ARQ leaves it there until the work is done: those of killed workers would stay for as long as work may take, count
    as waiting, and every worker would look through all that others work on. What is lost with a killed worker, the
    housekeeper sends again.
    """
    await ctx["redis"].zrem(ctx["redis"].default_queue_name, ctx["job_id"])


def log_plainly(settings: Settings) -> None:
    """As a worker's module is imported. ARQ sets up lines of its own afterwards, which say that it starts."""
    log.configure(settings)
    logging.getLogger("arq").propagate = False


def log_no_longer_as_arq() -> None:
    """As a worker starts."""
    logging.getLogger("arq").handlers.clear()
    logging.getLogger("arq").propagate = True


def on_leaving(leave: Callable[[], object]) -> None:
    """At each SIGTERM and Ctrl-C, before ARQ's own handler, which asyncio calls later and which stays."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        leave()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


async def in_a_thread(work: Callable[[], T]) -> T:
    """In a thread of its own. One that hangs keeps no process from ending."""
    loop, future = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def end(result: T | None, error: BaseException | None) -> None:
        if future.done():  # canceled
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:
            error = raised
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(end, result, error)

    threading.Thread(target=run, daemon=True).start()
    done: T = await future
    return done
