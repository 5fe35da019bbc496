"""What operators get to see. Never a prompt, which is the client's."""

from datetime import datetime
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from api.examples import OPERATIONS
from darkroom.access.access import Access
from darkroom.job_store.access.usage import Used
from darkroom.job_store.dead_letters import DeadLetter
from darkroom.job_store.overview import Line
from darkroom.job_store.presence import Sighting
from darkroom.jobs import Job, moment
from darkroom.webhooks.delivery import Delivery


class Me(BaseModel):
    key: str = Field(description="The name of the key that asks; `anonymous` where there are none.", examples=["me"])
    is_operator: bool = Field(examples=[True])


class LineView(BaseModel):
    model: str
    interactive: int = Field(description="Interactive jobs that wait.")
    bulk: int
    oldest_at: datetime | None = Field(description="When the oldest of those that come next was made.")
    eta_s: float | None = Field(description="Estimated seconds until all that wait are under way.")
    lanes: int


class WorkerView(BaseModel):
    name: str
    kind: str
    device: str
    lanes: int
    models: list[str]
    memory_bytes: int = Field(description="The most memory that its process has taken.")
    images_per_minute: int = Field(description="Images of jobs that ended within the last minute.")


class RunningView(BaseModel):
    id: str
    key: str
    model: str
    worker: str | None
    attempt: int
    started_at: datetime | None
    step: int
    steps: int


class AttemptView(BaseModel):
    attempt: int
    worker: str
    reason: str
    at: datetime


class DeadLetterView(BaseModel):
    id: str
    key: str
    model: str
    ended_at: datetime
    code: str
    message: str
    history: list[AttemptView]


class KeyView(BaseModel):
    name: str
    last_used_at: datetime | None
    is_operator: bool
    jobs_today: int = Field(description="Accepted today, by UTC.")
    megapixel_steps_today: float
    daily_megapixel_steps: float | None = Field(description="How much it may ask for in a day; null: any amount.")


class OwedWebhookView(BaseModel):
    job: str
    event: str
    host: str | None = Field(description="Of its URL; the rest may be a secret.")
    tries: int
    last: str | None = Field(description="What its last try came to.")
    due_at: datetime


class Operations(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [OPERATIONS]})

    at: datetime
    lines: list[LineView]
    workers: list[WorkerView]
    running: list[RunningView]
    dead_letters: list[DeadLetterView]
    keys: list[KeyView]
    webhooks_owed: int
    webhooks: list[OwedWebhookView] = Field(description="Those that are sent next.")
    flower_url: str | None = Field(description="Celery's own web page, where `DARKROOM_FLOWER_URL` names it.")


class Retried(BaseModel):
    id: str = Field(description="The new job, of the same owner.", examples=["0660d9ef348c3f3f2f215f6d81a1"])


def line_view(line: Line, lanes: int, eta_s: float | None) -> LineView:
    oldest = moment(line.oldest_ms) if line.oldest_ms is not None else None
    return LineView(
        model=line.model, interactive=line.interactive, bulk=line.bulk, oldest_at=oldest, lanes=lanes,
        eta_s=None if eta_s is None else round(eta_s, 1),
    )  # fmt: skip


def worker_view(sighting: Sighting, images_per_minute: int) -> WorkerView:
    worker = sighting.worker
    return WorkerView(
        name=worker.name, kind=worker.kind, device=worker.device, lanes=worker.lanes, models=worker.models,
        memory_bytes=sighting.memory_bytes, images_per_minute=images_per_minute,
    )  # fmt: skip


def running_view(job: Job) -> RunningView:
    return RunningView(
        id=job.id, key=job.owner, model=job.request.model, worker=job.worker, attempt=job.attempt,
        started_at=moment(job.started_ms) if job.started_ms else None, step=job.step, steps=job.steps,
    )  # fmt: skip


def key_view(access: Access, last_used_at: datetime | None, today: Used | None) -> KeyView:
    return KeyView(
        name=access.name,
        last_used_at=last_used_at,
        is_operator=access.is_admin,
        jobs_today=today.jobs if today else 0,
        megapixel_steps_today=today.megapixel_steps if today else 0.0,
        daily_megapixel_steps=access.limits.daily_megapixel_steps,
    )


def owed_webhook_view(delivery: Delivery, due_ms: int, url: str | None) -> OwedWebhookView:
    last = delivery.tries[-1] if delivery.tries else None
    return OwedWebhookView(
        job=delivery.job_id,
        event=delivery.event,
        host=urlsplit(url).hostname if url else None,
        tries=len(delivery.tries),
        last=(last.reason or str(last.status)) if last else None,
        due_at=moment(due_ms),
    )


def dead_letter_view(letter: DeadLetter) -> DeadLetterView:
    job = letter.job
    return DeadLetterView(
        id=job.id,
        key=job.owner,
        model=job.request.model,
        ended_at=moment(job.finished_ms or job.created_ms),
        code=job.failure.code if job.failure else "unknown",
        message=job.failure.message if job.failure else "",
        history=[
            AttemptView(attempt=failed.attempt, worker=failed.worker, reason=failed.reason, at=moment(failed.at_ms))
            for failed in letter.history
        ],
    )
