"""Entry point of GPU workers on ARQ: `arq gpu_worker.arq_app.WorkerSettings`. Binds its life to ARQ's.

The model of DARKROOM_GPU_MODELS is loaded and warmed before the first message is taken. An ARQ worker has one queue,
so a worker holds one model. Its lanes are threads under ARQ's event loop.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from arq import func

from darkroom.errors import BrokerUnavailable, DarkroomError, Misconfigured
from darkroom.messages.arq_carrier import ArqCarrier
from darkroom.messages.arq_worker import common, in_a_thread, log_no_longer_as_arq, log_plainly, on_leaving, worker_name
from darkroom.messages.entry_point import plain_refusal, refusal_to_start, settings_for
from darkroom.messages.queues import GENERATE, gpu_queue
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from gpu_worker.generate import PATIENCE_S, generate
from gpu_worker.jobs.job_end import Outcome, TaskEnd
from gpu_worker.life import Life

log = structlog.get_logger()

# Beyond the deadline of a job and the wait for a lane: reading inputs, and recording how it ended while Redis is away.
REST_S = 120.0


def _one_model(settings: Settings) -> str:
    """Raises Misconfigured."""
    if len(settings.gpu_models) > 1:
        raise Misconfigured(
            f"An ARQ worker has one queue, so it holds one model, and DARKROOM_GPU_MODELS names "
            f"{', '.join(settings.gpu_models)}. Start a worker for each: darkroom worker {settings.gpu_models[0]}"
        )
    [model] = settings.gpu_models
    return model


with plain_refusal():
    settings = settings_for("arq")
    model = _one_model(settings)
log_plainly(settings)
life = Life(settings)
wakeups = Wakeups(ArqCarrier(settings))
lanes = ThreadPoolExecutor(settings.lanes, thread_name_prefix="lane")


async def start(_ctx: dict[str, Any]) -> None:
    log_no_longer_as_arq()
    on_leaving(life.drain)
    try:
        life.start([model], worker_name(settings, "gpu"), wakeups)
    except DarkroomError as error:
        raise refusal_to_start(error) from error


class JobFailed(Exception):
    """Its text is the error's code; the job's record has the rest."""


async def generate_task(_ctx: dict[str, Any], model: str, **_: object) -> None:
    """A wake-up's `cause` is there for who looks into the queue; which job comes next is the waiting line's business.

    Never for ARQ to run again: a job that is put back has a wake-up of its own.
    """
    end = await asyncio.get_running_loop().run_in_executor(lanes, _generate, model)
    if end.outcome is Outcome.FAILED:
        raise JobFailed(end.code)


def _generate(model: str) -> TaskEnd:
    end = generate(model, life.node)
    if end.outcome is Outcome.NOT_NOW:
        _wake_another(model)
    return end


def _wake_another(model: str) -> None:
    try:
        wakeups.wake(model)
    except BrokerUnavailable as error:
        log.warning("wakeup.not_published", reason=error.message)  # the housekeeper tops it up


async def stop(_ctx: dict[str, Any]) -> None:
    await in_a_thread(life.stop)


WorkerSettings = {
    **common(settings, gpu_queue(model), "gpu", settings.job_deadline_s + PATIENCE_S + REST_S),
    "functions": [func(generate_task, name=GENERATE)],
    "max_jobs": settings.lanes,
    "on_startup": start,
    "on_shutdown": stop,
}
