"""Entry point of CPU workers: `celery -A cpu_worker.app worker -Q cpu`. Each keeps house too, in threads of its own."""

from typing import Any

from celery import Celery, bootsteps, signals

from cpu_worker.follow_ups import FollowUps
from cpu_worker.housekeeping import Housekeeper
from cpu_worker.retention import Retention
from cpu_worker.rounds import Rounds
from cpu_worker.thumbnails import Thumbnailer
from cpu_worker.unused_inputs import remove_unused_inputs
from darkroom.errors import Misconfigured
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.presence import Reporter
from darkroom.job_store.redis_client import connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.messages.celery_app import make_app
from darkroom.messages.entry_point import log_plainly, plain_refusal, refusal_to_start
from darkroom.messages.queues import CPU_QUEUE, FOLLOW_UP
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import read_settings
from darkroom.workers import WorkerInfo
from storage.opening import open_storage

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
store = JobStore(client, settings)
housekeeper = Housekeeper(upkeep, storage, Wakeups(app))
retention = Retention(upkeep, store, storage)
follow_ups = FollowUps(Thumbnailer(store, upkeep, storage))


@app.task(name=FOLLOW_UP)  # type: ignore[untyped-decorator]
def follow_up_task(job_id: str) -> None:
    follow_ups.follow_up(job_id)


def _clear_storage() -> None:
    """Raises RedisUnavailable, StorageUnavailable; the next round goes on from there."""
    housekeeper.clear_leftovers()
    retention.remove_old_jobs()
    remove_unused_inputs(InputRecords(client), storage)


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _report(sender: Any, **_: Any) -> None:
    reporter = Reporter(client, WorkerInfo(sender.hostname, "cpu", lanes=CONCURRENCY))
    # Storage that hangs takes all threads of the pool, and that of the second of these; lost jobs are for the first.
    house = Rounds("house", housekeeper.keep_house_in_turn, settings.housekeeping_period_s)
    storage_rounds = Rounds("clear-storage", _clear_storage, settings.housekeeping_period_s)
    for thread in (reporter, house, storage_rounds):
        thread.start()
        signals.worker_shutdown.connect(lambda thread=thread, **_: thread.stop(), weak=False)
