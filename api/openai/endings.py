"""How a call under /v1 ends: with its job, or with its client, whichever is first."""

import asyncio
from contextlib import suppress

import structlog
from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from api.openai.body import ImagesBody
from api.prefer import wait_until_final
from api.services import Services
from darkroom.errors import JobIsFinal, RedisUnavailable, UnknownJob
from darkroom.jobs import Failure, Job, JobState

log = structlog.get_logger()

# A call that has waited so long is answered with its job's id; the job goes on.
LONGEST_WAIT_S = 3600.0

STATUS = {"deadline_passed": 504, "job_unfinished": 504, "job_canceled": 409}


async def end_of(job: Job, request: Request, services: Services) -> Job | None:
    """The job when it has ended, or the longest wait is over; None when its client has gone.

    Raises RedisUnavailable, UnknownJob.
    """
    ending = asyncio.create_task(wait_until_final(job, LONGEST_WAIT_S, services))
    leaving = asyncio.create_task(_leaves(request))
    try:
        await asyncio.wait({ending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return ending.result() if ending.done() else None
    finally:
        ending.cancel()
        leaving.cancel()


async def _leaves(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def ends_with_client(body: ImagesBody, idempotency_key: str | None) -> bool:
    """Whether nobody wants the images once the connection is lost."""
    return not idempotency_key if body.cancel_on_disconnect is None else body.cancel_on_disconnect


async def client_left(job: Job, services: Services, *, cancels: bool) -> None:
    log.info("job.client_left", job_id=job.id, cancels=cancels)
    if cancels:
        with suppress(JobIsFinal, UnknownJob, RedisUnavailable):
            await run_in_threadpool(services.store.cancel, job.id)


def failure_of(job: Job) -> Failure | None:
    """Why there are no images; None where there are."""
    match job.state:
        case JobState.SUCCEEDED:
            return None
        case JobState.QUEUED | JobState.RUNNING:
            message = f"Job {job.id} has not ended within {LONGEST_WAIT_S:g} s and goes on: see GET /jobs/{job.id}."
            return Failure(code="job_unfinished", message=message)
        case _:
            canceled = Failure(code="job_canceled", message=f"Job {job.id} was canceled. Ask again for another.")
            return job.failure or canceled


def status_of(failure: Failure) -> int:
    return STATUS.get(failure.code, 500)
