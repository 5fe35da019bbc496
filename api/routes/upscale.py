"""POST /images/{id}/upscale: an image made larger, by a job of its own on a CPU worker."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.admission.admit import ADMISSION_CODES, LONGEST_IDEMPOTENCY_KEY, checked_key, enqueue
from api.admission.asker import AskerDep
from api.examples import QUEUED_JOB
from api.own_jobs import own_image
from api.prefer import PreferredWait, wait_until_final
from api.problems import responses
from api.services import ServicesDep
from api.views import JobView, accepted_view
from darkroom.completion import upscale_faults
from darkroom.errors import InvalidRequest
from darkroom.request import UPSCALE_FACTORS, WholeNumber
from darkroom.upscaling import upscale_request

router = APIRouter(tags=["images"])


class UpscaleBody(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"factor": 2}]})

    factor: WholeNumber = Field(
        default=2,
        description="So many times as wide and as high.",
        json_schema_extra={"enum": list(UPSCALE_FACTORS)},
    )


DEFAULTS = UpscaleBody()


@router.post(
    "/images/{image_id}/upscale",
    status_code=202,
    summary="Upscale an image",
    responses={
        200: {"model": JobView, "description": "The job is finished already, as `Prefer: wait` asked, or as a repeat."},
        202: {"content": {"application/json": {"example": QUEUED_JOB}}},
        **responses(*ADMISSION_CODES),
    },
)
async def upscale_image(
    image_id: str,
    asker: AskerDep,
    services: ServicesDep,
    response: Response,
    wait_s: PreferredWait,
    body: UpscaleBody = DEFAULTS,
    idempotency_key: Annotated[
        str | None,
        Header(description="As of `POST /generate`.", json_schema_extra={"maxLength": LONGEST_IDEMPOTENCY_KEY}),
    ] = None,
) -> JobView:
    """A job like any other, for CPU workers. `GET /models` says whether one is there that can: see `upscales`."""
    made_by, image = await run_in_threadpool(own_image, image_id, asker.name, services)
    if faults := list(upscale_faults("factor", body.factor, image.width, image.height)):
        raise InvalidRequest(faults)
    request = upscale_request(made_by, [image], body.factor)
    key, fingerprint = checked_key(idempotency_key or ""), hashlib.sha256(f"{image_id} {body.factor}".encode())
    job = (await run_in_threadpool(enqueue, request, asker, services, key, fingerprint.hexdigest())).job
    if wait_s and not job.state.is_final:
        response.headers["Preference-Applied"] = f"wait={wait_s}"
        job = await wait_until_final(job, wait_s, services)
    if job.state.is_final:
        response.status_code = 200
    return await run_in_threadpool(accepted_view, job, services)
