"""POST /images/{id}/variations: the same request again with other seeds, from an image that it made."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, StrictFloat

from api.admission.admit import ADMISSION_CODES, LONGEST_IDEMPOTENCY_KEY, admit
from api.admission.asker import AskerDep
from api.examples import QUEUED_JOB
from api.own_jobs import own_image
from api.problems import responses
from api.services import ServicesDep
from api.views import JobView, accepted_view
from darkroom.completion import UNSUPPORTED
from darkroom.errors import InvalidRequest
from darkroom.inputs import Task
from darkroom.jobs import Job
from darkroom.request import GenerateBody, WholeNumber

router = APIRouter(tags=["images"])


class VariationsBody(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"strength": 0.5, "n": 2}]})

    strength: StrictFloat = Field(
        default=0.6,
        description="How far from the image: above 0, 1 at most.",
        json_schema_extra={"exclusiveMinimum": 0, "maximum": 1},
    )
    n: WholeNumber = Field(default=4, description="Images to make.", json_schema_extra={"minimum": 1})
    seed: WholeNumber | None = Field(default=None, description="0 to 4294967295. Default: drawn at random.")


DEFAULTS = VariationsBody()


@router.post(
    "/images/{image_id}/variations",
    status_code=202,
    summary="Vary an image",
    responses={
        202: {"content": {"application/json": {"example": QUEUED_JOB}}},
        **responses(*ADMISSION_CODES),
    },
)
async def vary_image(
    image_id: str,
    asker: AskerDep,
    services: ServicesDep,
    body: VariationsBody = DEFAULTS,
    idempotency_key: Annotated[
        str | None,
        Header(description="As of `POST /generate`.", json_schema_extra={"maxLength": LONGEST_IDEMPOTENCY_KEY}),
    ] = None,
) -> JobView:
    """A job of image to image, with the prompt, model and settings of the job that made the image."""
    made_by, _ = await run_in_threadpool(own_image, image_id, asker.name, services)
    card = services.catalogue.get(made_by.request.model)
    if card is None or Task.IMAGE_TO_IMAGE not in card.tasks:
        message = f"{made_by.request.model} redraws no images, so it cannot vary one. `GET /models` says which do."
        raise InvalidRequest.of("model", UNSUPPORTED, message)
    job = (
        await admit(_variations(made_by, image_id, body), asker, services, idempotency_key=idempotency_key or "")
    ).job
    return await run_in_threadpool(accepted_view, job, services)


def _variations(made_by: Job, image_id: str, body: VariationsBody) -> GenerateBody:
    made = made_by.request
    return GenerateBody(
        prompt=made.prompt,
        negative_prompt=made.negative_prompt,
        model=made.model,
        width=made.width,
        height=made.height,
        steps=made.steps,
        guidance_scale=made.guidance_scale,
        seed=body.seed,
        n=body.n,
        scheduler=made.scheduler,
        step_reuse=made.step_reuse,
        output_format=made.output_format,
        priority=made.priority,
        image=image_id,
        strength=body.strength,
    )
