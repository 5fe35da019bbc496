"""What clients get to see of a job."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.examples import JOB, JOB_PAGE
from api.services import Services
from darkroom.errors import RedisUnavailable
from darkroom.estimates.eta import crew_of, eta_s
from darkroom.estimates.line_state import Place
from darkroom.jobs import Job, JobState, StoredImage, StoredObject, moment
from darkroom.request import ImageRequest
from darkroom.workers import WorkerInfo


class Links(BaseModel):
    self: str
    events: str
    cancel: str


class Progress(BaseModel):
    step: int
    steps: int


class Timings(BaseModel):
    """Seconds."""

    queued_s: float | None = Field(description="From being accepted to its start.")
    run_s: float | None = Field(description="From its start to its end.")


class Failure(BaseModel):
    code: str = Field(description="Stable, such as `out_of_memory`, `generation_failed`, `worker_lost`.")
    message: str


class ThumbnailView(BaseModel):
    url: str = Field(description="Signed: fetch it without a key.")
    expires_at: datetime
    width: int
    height: int
    bytes: int
    content_type: str


class ImageView(ThumbnailView):
    id: str = Field(description="`GET /images/{id}` redirects to a fresh signed URL.")
    seed: int = Field(description="Makes this image again, with `n` = 1.")
    sha256: str
    thumbnail: ThumbnailView | None = Field(description="WebP, 256 pixels at most; null until a CPU worker made it.")


class JobView(BaseModel):
    model_config = ConfigDict(protected_namespaces=(), json_schema_extra={"examples": [JOB]})

    id: str
    status: JobState
    model: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    queue_position: int | None = Field(description="Jobs before it in line; null unless it is queued.")
    eta_s: float | None = Field(description="Estimated seconds until its images are there; null when unknown.")
    notice: str | None = Field(description="What its owner should know, such as that no worker serves the model now.")
    progress: Progress | None = Field(description="Null until its first step.")
    attempt: int = Field(description="How often it was started; above 1 when a worker was lost or stopped.")
    timings: Timings
    seed: int = Field(description="The seed used, given or drawn. Image i used seed + i.")
    request: ImageRequest = Field(description="As completed. Inputs are named by the ids under which they are kept.")
    images: list[ImageView]
    error: Failure | None = Field(description="Why it failed, or was canceled where that was not your word.")
    links: Links


class JobPage(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [JOB_PAGE]})

    jobs: list[JobView]
    next_cursor: str | None = Field(description="Pass it as `cursor` for older jobs; null at the end.")


def accepted_view(job: Job, services: Services) -> JobView:
    """Of a job that was just accepted, which it stays though Redis has gone since: then without place and estimate."""
    try:
        return job_view(job, services, services.workers())
    except RedisUnavailable:
        return _view(job, services)


def job_view(job: Job, services: Services, workers: Sequence[WorkerInfo]) -> JobView:
    """Raises RedisUnavailable."""
    place = services.store.place(job.id) if job.state is JobState.QUEUED else None
    crew = crew_of(workers, job.request.model, services.settings.interactive_lanes)
    line = None if job.state.is_final else services.store.line_state(job.request.model)
    estimate = eta_s(job, place, line, crew) if line else None
    return _view(job, services, place, estimate, _notice(job, crew.lanes))


def _view(
    job: Job, services: Services, place: Place | None = None, estimate: float | None = None, notice: str | None = None
) -> JobView:
    return JobView(
        id=job.id,
        status=job.state,
        model=job.request.model,
        created_at=moment(job.created_ms),
        started_at=moment(job.started_ms) if job.started_ms else None,
        finished_at=moment(job.finished_ms) if job.finished_ms else None,
        queue_position=place.position if place else None,
        eta_s=None if estimate is None else round(estimate, 1),
        notice=notice,
        progress=Progress(step=job.step, steps=job.steps) if job.steps else None,
        attempt=job.attempt,
        timings=_timings(job),
        seed=job.request.seed,
        request=job.request,
        images=[image_view(job, image, services) for image in job.images],
        error=Failure(**job.failure.model_dump()) if job.failure else None,
        links=_links(job, services),
    )


def image_view(job: Job, image: StoredImage, services: Services) -> ImageView:
    name = f"darkroom-{job.id}-{image.index}"
    return ImageView(
        id=f"{job.id}-{image.index}",
        seed=image.seed,
        sha256=image.sha256,
        thumbnail=ThumbnailView(**_signed(image.thumbnail, f"{name}-small", services)) if image.thumbnail else None,
        **_signed(image, name, services),
    )


def _signed(stored: StoredObject, name: str, services: Services) -> dict[str, Any]:
    extension = stored.key.rpartition(".")[2]
    link = services.storage.signed_url(stored.key, filename=f"{name}.{extension}")
    return {
        "url": link.url,
        "expires_at": link.expires_at,
        "width": stored.width,
        "height": stored.height,
        "bytes": stored.bytes,
        "content_type": stored.content_type,
    }


def _notice(job: Job, lanes: int) -> str | None:
    if job.state is JobState.QUEUED and not lanes:
        return f"No worker serves {job.request.model} now. The job waits until one does."
    return None


def _timings(job: Job) -> Timings:
    started, finished = job.started_ms, job.finished_ms
    return Timings(
        queued_s=(started - job.created_ms) / 1000 if started else None,
        run_s=(finished - started) / 1000 if started and finished else None,
    )


def _links(job: Job, services: Services) -> Links:
    here = f"{services.settings.public_base_url}/jobs/{job.id}"
    return Links(self=here, events=f"{here}/events", cancel=f"{here}/cancel")
