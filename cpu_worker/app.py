"""Entry point of CPU workers: `celery -A cpu_worker.app worker -Q cpu`, with `-B` for the schedule (on one of them)."""

import threading
from typing import Any

import structlog
from celery import Celery, bootsteps, signals

from cpu_worker.beat import end_with_parent
from cpu_worker.follow_ups import FollowUps
from cpu_worker.housekeeping import Housekeeper
from cpu_worker.thumbnails import Thumbnailer
from cpu_worker.unused_inputs import remove_unused_inputs
from darkroom.errors import BrokerUnavailable, Misconfigured, RedisUnavailable, StorageUnavailable
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.presence import Reporter
from darkroom.job_store.redis_client import connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.messages.celery_app import make_app
from darkroom.messages.entry_point import log_plainly, plain_refusal, refusal_to_start
from darkroom.messages.queues import CLEAR_STORAGE, CPU_QUEUE, FOLLOW_UP, KEEP_HOUSE
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import read_settings
from darkroom.workers import WorkerInfo
from storage.opening import open_storage

logger = structlog.get_logger()

UNAVAILABLE = (RedisUnavailable, StorageUnavailable, BrokerUnavailable)
CONCURRENCY = 4

with plain_refusal():
    settings = read_settings()
    storage = open_storage(settings)
log_plainly(settings)


class RefuseOtherQueues(bootsteps.StartStopStep):  # type: ignore[misc]
    """A worker that knows no wake-ups would throw them away."""

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Any) -> None:
        others = sorted(set(worker.app.amqp.queues.consume_from) - {CPU_QUEUE})
        if others:
            reason = (
                f"A CPU worker serves the queue {CPU_QUEUE}, not {', '.join(others)}. "
                "Queues named gpu.MODEL are for GPU workers: celery -A gpu_worker.app worker -Q gpu.MODEL"
            )
            raise refusal_to_start(Misconfigured(reason))


def _make_worker_app() -> Celery:
    worker_app = make_app(settings)
    worker_app.conf.update(worker_concurrency=CONCURRENCY)
    worker_app.steps["worker"].add(RefuseOtherQueues)
    return worker_app


app = _make_worker_app()
client = connect(settings.redis_url)
upkeep = Upkeep(client, settings)
thumbnailer = Thumbnailer(JobStore(client, settings), upkeep, storage)
housekeeper = Housekeeper(upkeep, JobStore(client, settings), storage, Wakeups(app))


# Storage that hangs takes minutes to be given up. It must not take the last thread from what brings lost jobs back.
storage_threads = threading.BoundedSemaphore(CONCURRENCY - 1)
follow_ups = FollowUps(thumbnailer, upkeep, storage_threads)


@app.task(name=FOLLOW_UP)  # type: ignore[untyped-decorator]
def follow_up_task(job_id: str) -> None:
    follow_ups.follow_up(job_id)


@app.task(name=KEEP_HOUSE, acks_late=False)  # type: ignore[untyped-decorator]
def keep_house_task() -> None:
    try:
        housekeeper.keep_house()
    except UNAVAILABLE as error:
        # The next round comes in seconds.
        logger.warning("housekeeping.interrupted", code=error.code, reason=error.message)


@app.task(name=CLEAR_STORAGE, acks_late=False)  # type: ignore[untyped-decorator]
def clear_storage_task() -> None:
    if not storage_threads.acquire(blocking=False):
        return  # the next round comes in seconds
    try:
        housekeeper.clear_storage()
        remove_unused_inputs(InputRecords(client), storage)
    except UNAVAILABLE as error:
        logger.warning("housekeeping.interrupted", code=error.code, reason=error.message)
    finally:
        storage_threads.release()


@signals.beat_embedded_init.connect  # type: ignore[untyped-decorator]
def _end_beat_with_worker(**_: Any) -> None:
    end_with_parent()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _report(sender: Any, **_: Any) -> None:
    reporter = Reporter(client, WorkerInfo(sender.hostname, "cpu", lanes=CONCURRENCY))
    reporter.start()
    signals.worker_shutdown.connect(lambda **_: reporter.stop(), weak=False)
