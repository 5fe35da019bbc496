"""Entry point of GPU workers: `celery -A gpu_worker.app worker -Q gpu.minilab`. Binds its life to Celery's.

The model is loaded and warmed by a boot step, so before the first message is taken.
"""

import signal
from typing import Any, NoReturn

from celery import Celery, bootsteps, signals
from celery.exceptions import Ignore, Reject, Retry

from darkroom.errors import DarkroomError, Misconfigured
from darkroom.messages.celery_app import log_plainly, make_app
from darkroom.messages.celery_carrier import CeleryCarrier
from darkroom.messages.entry_point import plain_refusal, refusal_to_start, settings_for
from darkroom.messages.queues import GENERATE, gpu_queue, model_of
from darkroom.messages.wakeups import Wakeups
from gpu_worker.generate import generate
from gpu_worker.jobs.job_end import Outcome, TaskEnd
from gpu_worker.life import Life

with plain_refusal():
    settings = settings_for("celery")
log_plainly(settings)
life = Life(settings)


class LoadModels(bootsteps.StartStopStep):  # type: ignore[misc]
    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Any) -> None:
        try:
            life.start(
                _models(worker.app.amqp.queues.consume_from), worker.hostname, Wakeups(CeleryCarrier(worker.app))
            )
        except DarkroomError as error:
            raise refusal_to_start(error) from error
        # There may be fewer lanes than threads. A message beyond them would be kept from workers that have some free.
        worker.consumer.initial_prefetch_count = sum(lanes.count for lanes in life.node.lanes.values())

    def close(self, _worker: Any) -> None:
        """However Celery stops: `celery control shutdown` and errors of its own come without a signal."""
        life.leave()


def _models(queues: Any) -> list[str]:
    models = [model for queue in queues if (model := model_of(queue))]
    if len(models) < len(queues):
        raise Misconfigured(
            f"A GPU worker serves queues named gpu.MODEL, not {', '.join(sorted(queues))}. "
            "Other work is for CPU workers: celery -A cpu_worker.app worker -Q cpu"
        )
    return models


def _make_worker_app() -> Celery:
    worker_app = make_app(settings, served=[gpu_queue(model) for model in settings.gpu_models])
    worker_app.steps["worker"].add(LoadModels)
    return worker_app


app = _make_worker_app()


class JobFailed(Exception):
    """Its text is the error's code; the job's record has the rest."""


@app.task(name=GENERATE, bind=True, throws=(JobFailed,))  # type: ignore[untyped-decorator]
def generate_task(task: Any, model: str, **_: object) -> None:
    """A wake-up's `cause` is there for who reads Flower; which job comes next is the waiting line's business."""
    _end_task(task, generate(model, life.node))


def _end_task(task: Any, end: TaskEnd) -> None:
    """What Flower shows of a job. Returns where it was drawn; otherwise raises what Celery ends the task by."""
    match end.outcome:
        case Outcome.DRAWN:
            return
        case Outcome.FAILED:
            raise JobFailed(end.code)
        case Outcome.PUT_BACK:
            raise Retry(exc=JobFailed(end.code))
        case Outcome.NOT_NOW:
            raise Reject("no lane for it now", requeue=True)
        case Outcome.TAKEN | Outcome.NO_JOB:
            _revoked(task)


def _revoked(task: Any) -> NoReturn:
    """Nobody needs it any more. Celery itself says so only of tasks that have not begun."""
    task.send_event("task-revoked", terminated=False, signum=None, expired=False)
    raise Ignore


@signals.celeryd_init.connect  # type: ignore[untyped-decorator]
def _have_a_thread_for_each_lane(conf: Any, options: dict[str, Any], **_: Any) -> None:
    """Also where `-Q` names other models than the settings do: one model's jobs must not take another's threads."""
    queues = options.get("queues") or [gpu_queue(model) for model in settings.gpu_models]
    names = queues.split(",") if isinstance(queues, str) else queues
    conf.worker_concurrency = settings.lanes * len(names)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _drain(**_: Any) -> None:
    """In a signal handler, at each SIGTERM; and at the first Ctrl-C, when Celery has set what the next one does."""
    life.drain()
    signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> None:
    """What Celery would do instead, a cold shutdown, its thread pool cannot: it raises NotImplementedError."""
    life.drain()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    life.stop()
