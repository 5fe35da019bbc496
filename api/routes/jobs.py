"""Jobs: list, read, cancel, delete."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.keys import OwnerDep
from api.own_jobs import JOB_ID, own_job
from api.problems import responses
from api.services import Services, ServicesDep
from api.views import JobPage, JobView, job_view
from darkroom.errors import JobIsFinal
from darkroom.jobs import Job

router = APIRouter(prefix="/jobs", tags=["jobs"])

ALWAYS = ("unauthorized", "redis_unavailable", "internal_error")


class PageQuery(BaseModel):
    """A misspelt parameter is refused: it would silently give another page."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=20, ge=1, le=100, description="Jobs on a page.")
    cursor: str = Field(
        default="",
        pattern=rf"^({JOB_ID.pattern[1:-1]})?$",
        description="`next_cursor` of the page before; leave it out at first.",
    )


@router.get(
    "",
    summary="List your jobs, newest first",
    responses=responses("invalid_request", "invalid_field", "unknown_field", *ALWAYS),
)
def list_jobs(owner: OwnerDep, services: ServicesDep, query: Annotated[PageQuery, Query()]) -> JobPage:
    jobs = services.store.newest(owner, limit=query.limit + 1, before=query.cursor or None)
    workers = services.workers()
    page = jobs[: query.limit]
    return JobPage(
        jobs=[job_view(job, services, workers) for job in page],
        next_cursor=page[-1].id if len(jobs) > query.limit else None,
    )


@router.get("/{job_id}", summary="Read a job", responses=responses("unknown_job", *ALWAYS))
def read_job(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobView:
    return job_view(own_job(job_id, owner, services), services, services.workers())


@router.post("/{job_id}/cancel", summary="Cancel a job", responses=responses("unknown_job", "job_is_final", *ALWAYS))
def cancel_job(job_id: str, owner: OwnerDep, services: ServicesDep) -> JobView:
    """It stops at its next denoising step at the latest, and has no images. Canceling twice is harmless."""
    services.store.cancel(own_job(job_id, owner, services).id)
    return job_view(own_job(job_id, owner, services), services, services.workers())


@router.delete(
    "/{job_id}",
    status_code=204,
    summary="Delete a job and its images",
    responses=responses("unknown_job", "storage_unavailable", *ALWAYS),
)
async def delete_job(job_id: str, owner: OwnerDep, services: ServicesDep) -> Response:
    """A job that waits or runs is canceled first. Links to its images stop working."""
    job = await run_in_threadpool(_ended, job_id, owner, services)
    await services.remover.remove(job)
    return Response(status_code=204)


def _ended(job_id: str, owner: str, services: Services) -> Job:
    job = own_job(job_id, owner, services)
    if not job.state.is_final:
        with suppress(JobIsFinal):  # it may finish just now
            services.store.cancel(job.id)
    return job
