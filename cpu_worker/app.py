"""Entry point of CPU workers: `celery -A cpu_worker.app worker`. Each keeps house too, in threads of its own.

One that has the network upscales too, unless `-Q cpu` says that it shall not.
"""

from typing import TYPE_CHECKING, Any

from celery import Celery, bootsteps, signals
from celery.exceptions import Ignore, Reject, Retry

from cpu_worker.duties import CONCURRENCY, Duties
from cpu_worker.rounds import Rounds
from cpu_worker.upscaling.outcome import Outcome, TaskEnd
from cpu_worker.upscaling.weights import is_installed
from darkroom.errors import Misconfigured
from darkroom.job_store.claims import Claims
from darkroom.job_store.presence import Reporter
from darkroom.job_store.redis_client import connect
from darkroom.job_store.store import JobStore
from darkroom.messages.celery_app import log_plainly, make_app
from darkroom.messages.celery_carrier import CeleryCarrier
from darkroom.messages.entry_point import plain_refusal, refusal_to_start, settings_for
from darkroom.messages.queues import CPU_QUEUE, FOLLOW_UP, UPSCALE, UPSCALE_QUEUE
from darkroom.messages.wakeups import Wakeups
from darkroom.upscaling import UPSCALER
from darkroom.workers import WorkerInfo
from storage.opening import open_storage

if TYPE_CHECKING:
    from cpu_worker.upscaling.upscaler import Upscaler

# One upscales, and another may wait to; the rest are for thumbnails.
UPSCALING_THREADS = 2

with plain_refusal():
    settings = settings_for("celery")
    storage = open_storage(settings)
log_plainly(settings)
SERVED = (CPU_QUEUE, UPSCALE_QUEUE) if is_installed() else (CPU_QUEUE,)


class RefuseOtherQueues(bootsteps.StartStopStep):  # type: ignore[misc]
    """A worker that knows no wake-ups would throw them away."""

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Any) -> None:
        others = sorted(set(worker.app.amqp.queues.consume_from) - set(SERVED))
        if others == [UPSCALE_QUEUE]:
            reason = (
                "This worker has no network to upscale with: pip install 'darkroom[upscale]', "
                f"or leave {UPSCALE_QUEUE} out of -Q."
            )
            raise refusal_to_start(Misconfigured(reason))
        if others:
            reason = (
                f"A CPU worker serves the queue {CPU_QUEUE}, not {', '.join(others)}. "
                "Queues named gpu.MODEL are for GPU workers: celery -A gpu_worker.app worker -Q gpu.MODEL"
            )
            raise refusal_to_start(Misconfigured(reason))


def _make_worker_app() -> Celery:
    worker_app = make_app(settings, SERVED)
    worker_app.conf.update(worker_concurrency=CONCURRENCY + (UPSCALING_THREADS if UPSCALE_QUEUE in SERVED else 0))
    worker_app.steps["worker"].add(RefuseOtherQueues)
    return worker_app


app = _make_worker_app()
client = connect(settings.redis_url)
store, wakeups = JobStore(client, settings), Wakeups(CeleryCarrier(app))
duties = Duties(client, settings, storage, wakeups)


def _make_upscaler() -> "Upscaler | None":
    """None where the network is not installed: nor is what the code round it needs."""
    if UPSCALE_QUEUE not in SERVED:
        return None
    from cpu_worker.upscaling.upscaler import Upscaler

    return Upscaler(Claims(client, settings), store, storage, wakeups, settings)


upscaler = _make_upscaler()


class JobFailed(Exception):
    """Its text is the error's code; the job's record has the rest."""


@app.task(name=FOLLOW_UP)  # type: ignore[untyped-decorator]
def follow_up_task(job_id: str) -> None:
    duties.follow_up(job_id)


@app.task(name=UPSCALE, bind=True, throws=(JobFailed,))  # type: ignore[untyped-decorator]
def upscale_task(task: Any, **_: object) -> None:
    """A wake-up's `cause` is there for who reads Flower; which job comes next is the waiting line's business."""
    assert upscaler is not None, "a worker without the network takes from no queue that carries this"
    _end_task(task, upscaler.upscale_next(task.request.hostname))


def _end_task(task: Any, end: TaskEnd) -> None:
    """What Flower shows of a job. Returns where it was made; otherwise raises what Celery ends the task by."""
    match end.outcome:
        case Outcome.MADE:
            return
        case Outcome.FAILED:
            raise JobFailed(end.code)
        case Outcome.PUT_BACK:
            raise Retry(exc=JobFailed(end.code))
        case Outcome.NOT_NOW:
            raise Reject("busy with another", requeue=True)
        case Outcome.TAKEN | Outcome.NO_JOB:
            # Nobody needs it any more. Celery itself says so only of tasks that have not begun.
            task.send_event("task-revoked", terminated=False, signum=None, expired=False)
            raise Ignore


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _report(sender: Any, **_: Any) -> None:
    reporter = Reporter(client, _worker_info(sender))
    # Storage that hangs takes all threads of the pool, and that of the second of these; lost jobs are for the first.
    house = Rounds("house", duties.keep_house, settings.housekeeping_period_s)
    storage_rounds = Rounds("clear-storage", duties.clear_storage, settings.housekeeping_period_s)
    for thread in (reporter, house, storage_rounds, duties.webhooks()):
        thread.start()
        signals.worker_shutdown.connect(lambda thread=thread, **_: thread.stop(), weak=False)


def _worker_info(consumer: Any) -> WorkerInfo:
    if UPSCALE_QUEUE in consumer.app.amqp.queues.consume_from:
        return WorkerInfo(consumer.hostname, "cpu", [UPSCALER], lanes=1)
    return WorkerInfo(consumer.hostname, "cpu", lanes=CONCURRENCY)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop_upscaling(**_: Any) -> None:
    """A part of an image takes less than a second; then its job goes back in line."""
    if upscaler:
        upscaler.stopping.set()
