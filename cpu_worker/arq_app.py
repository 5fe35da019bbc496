"""Entry point of CPU workers on ARQ: `arq cpu_worker.arq_app.WorkerSettings`. ARQ's cron tells them to keep house."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from arq import cron, func

from cpu_worker.duties import CONCURRENCY, Duties
from darkroom.errors import Unavailable
from darkroom.job_store.presence import Reporter
from darkroom.job_store.redis_client import connect
from darkroom.messages.arq_carrier import ArqCarrier
from darkroom.messages.arq_worker import common, in_a_thread, log_no_longer_as_arq, log_plainly, worker_name
from darkroom.messages.entry_point import plain_refusal, settings_for
from darkroom.messages.queues import CPU_QUEUE, FOLLOW_UP
from darkroom.messages.wakeups import Wakeups
from darkroom.workers import WorkerInfo
from storage.opening import open_storage

log = structlog.get_logger()

# Work that found no thread for so long is put off: the housekeeper sends what is due again. So storage that hangs
# never takes all of ARQ's room, and a round of housekeeping always comes through.
PATIENCE_S = 10.0
ROOM = 8 * CONCURRENCY
# More than any storage needs that does not hang.
LONGEST_S = 600.0

with plain_refusal():
    settings = settings_for("arq")
    storage = open_storage(settings)
log_plainly(settings)
client = connect(settings.redis_url)
duties = Duties(client, settings, storage, Wakeups(ArqCarrier(settings)))
reporter = Reporter(client, WorkerInfo(worker_name(settings, "cpu"), "cpu", lanes=CONCURRENCY))
threads = asyncio.Semaphore(CONCURRENCY)
house, store_room = asyncio.Lock(), asyncio.Lock()


async def start(ctx: dict[str, Any]) -> None:
    log_no_longer_as_arq()
    ctx["threads"] = [reporter, duties.webhooks()]
    for thread in ctx["threads"]:
        thread.start()


async def stop(ctx: dict[str, Any]) -> None:
    """Also of a worker that was told to leave before it had found its broker."""
    for thread in ctx.get("threads", ()):
        thread.stop()


async def follow_up(_ctx: dict[str, Any], job_id: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await threads.acquire()
    except TimeoutError:
        log.warning("follow_up.put_off", job_id=job_id, reason="All threads of this worker are busy.")
        return
    try:
        await in_a_thread(lambda: duties.follow_up(job_id))
    finally:
        threads.release()


async def keep_house(_ctx: dict[str, Any]) -> None:
    await _round(house, duties.keep_house)


async def clear_storage(_ctx: dict[str, Any]) -> None:
    await _round(store_room, duties.clear_storage)


async def _round(alone: asyncio.Lock, work: Callable[[], object]) -> None:
    """Unless the round before is still at it."""
    if alone.locked():
        return
    async with alone:
        try:
            await in_a_thread(work)
        except Unavailable as error:  # the next round comes in seconds
            log.warning("housekeeping.interrupted", code=error.code, reason=error.message)


def _seconds(period_s: float) -> set[int]:
    """ARQ's cron knows whole seconds of a minute."""
    return set(range(0, 60, min(59, max(1, round(period_s)))))


seconds = _seconds(settings.housekeeping_period_s)
WorkerSettings = {
    **common(settings, CPU_QUEUE, "cpu", LONGEST_S),
    "functions": [func(follow_up, name=FOLLOW_UP)],
    "cron_jobs": [
        cron(keep_house, second=seconds, run_at_startup=True),
        cron(clear_storage, second=seconds, run_at_startup=True),
    ],
    "max_jobs": ROOM,
    "on_startup": start,
    "on_shutdown": stop,
}
