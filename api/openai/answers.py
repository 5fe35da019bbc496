"""A finished job as OpenAI's clients read it."""

import base64
import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.openai.body import ImagesBody
from api.services import Services
from api.views import image_view
from darkroom.jobs import Job

EXAMPLE: dict[str, Any] = {
    "created": 1795338998,
    "data": [{"b64_json": "iVBORw0KGgo…", "id": "0660d9ef348c3f3f2f215f6d81a1-0", "seed": 7}],
    "background": "opaque",
    "output_format": "png",
    "quality": "medium",
    "size": "128x128",
    "usage": {
        "input_tokens": 0,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "output_tokens": 0,
        "total_tokens": 0,
    },
    "job_id": "0660d9ef348c3f3f2f215f6d81a1",
}


class ImageData(BaseModel):
    b64_json: str | None = None
    url: str | None = Field(default=None, description="Signed: fetch it without a key; it expires.")
    id: str = Field(description="`GET /images/{id}` is its lasting address.")
    seed: int = Field(description="Makes this image again.")


class TokenDetails(BaseModel):
    image_tokens: int = 0
    text_tokens: int = 0


class Usage(BaseModel):
    """Nothing is counted in tokens here; clients want the field."""

    input_tokens: int = 0
    input_tokens_details: TokenDetails = TokenDetails()
    output_tokens: int = 0
    total_tokens: int = 0


class ImagesAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    created: int
    data: list[ImageData]
    background: str
    output_format: str
    quality: str
    size: str
    usage: Usage
    safety_identifier: str | None = None
    job_id: str = Field(description="The job behind it: `GET /jobs/{job_id}`.")


def answer_of(job: Job, body: ImagesBody, services: Services) -> ImagesAnswer:
    """Of a job that succeeded. Raises StorageUnavailable, ObjectMissing."""
    return ImagesAnswer(
        created=(job.finished_ms or job.created_ms) // 1000,
        data=[_image(job, index, body, services) for index in range(len(job.images))],
        usage=Usage(),
        safety_identifier=body.identifier,
        job_id=job.id,
        **looks(job, body),
    )


def looks(job: Job, body: ImagesBody) -> dict[str, str]:
    """What answers and events say of the image."""
    return {
        "background": "opaque",
        "output_format": job.request.output_format.value,
        "quality": body.shown_quality,
        "size": f"{job.request.width}x{job.request.height}",
    }


def completed(job: Job, index: int, body: ImagesBody, services: Services) -> dict[str, Any]:
    """What the last event says of one image. Raises StorageUnavailable, ObjectMissing."""
    image = job.images[index]
    said: dict[str, Any] = {
        "b64_json": base64.b64encode(services.storage.get(image.key)).decode(),
        "created_at": int(time.time()),
        "usage": Usage().model_dump(),
        "id": f"{job.id}-{image.index}",
        "seed": image.seed,
        **looks(job, body),
    }
    return said | ({"safety_identifier": body.identifier} if body.identifier else {})


def _image(job: Job, index: int, body: ImagesBody, services: Services) -> ImageData:
    image = job.images[index]
    identity = {"id": f"{job.id}-{image.index}", "seed": image.seed}
    if body.response_format == "url":
        return ImageData(url=image_view(job, image, services).url, **identity)
    return ImageData(b64_json=base64.b64encode(services.storage.get(image.key)).decode(), **identity)
