"""POST /uploads: a picture that requests will start from."""

import hashlib
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api.examples import UPLOAD
from api.inputs.forms import MalformedForm
from api.inputs.pictures import PICTURE_FAULT_CODES
from api.keys import OwnerDep
from api.problems import responses
from api.services import ServicesDep
from darkroom.errors import InvalidRequest
from darkroom.jobs import moment

router = APIRouter(tags=["images"])

BINARY = {"schema": {"type": "string", "format": "binary"}}
FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
}


class UploadView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [UPLOAD]})

    id: str = Field(description="What `image`, `mask` and `control_image` of a request may be.")
    sha256: str = Field(description="Of the bytes that came.")
    bytes: int
    width: int = Field(description="As it is kept: upright, and no larger than models take.")
    height: int
    has_alpha: bool = Field(description="Whether something of it is transparent.")
    expires_at: datetime = Field(description="It is removed then, unless a job needs it.")


@router.post(
    "/uploads",
    status_code=201,
    summary="Upload a picture",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "image/png": BINARY,
                "image/jpeg": BINARY,
                "image/webp": BINARY,
                "image/gif": BINARY,
                "application/octet-stream": BINARY,
                "multipart/form-data": FORM,
            },
        }
    },
    responses=responses(
        *PICTURE_FAULT_CODES, "input_too_large", "missing_field", "malformed_form", "body_too_large",
        "body_too_slow", "unauthorized",
        "inputs_busy", "redis_unavailable", "storage_unavailable", "internal_error",
    ),
)  # fmt: skip
async def upload(request: Request, owner: OwnerDep, services: ServicesDep) -> UploadView:
    """PNG, JPEG, WebP or GIF, as the body itself or as a form's file. The same bytes are kept once, and longer."""
    data = await _file(request)
    kept = await services.inputs.upload(data, owner)
    return UploadView(
        id=kept.input.id,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        width=kept.input.width,
        height=kept.input.height,
        has_alpha=kept.input.has_alpha,
        expires_at=moment(kept.until_ms),
    )


async def _file(request: Request) -> bytes:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await request.body()
    try:
        async with request.form(max_files=1, max_fields=20) as form:
            for value in form.values():
                if isinstance(value, UploadFile):
                    return await value.read()
    except HTTPException as error:
        if error.status_code != 400:
            raise
        raise MalformedForm(
            f"The form cannot be read ({error.detail}). Send one file, as `curl -F file=@…` does."
        ) from error
    raise InvalidRequest.of("file", "missing_field", "The form has no file: add one, as `curl -F file=@…` does.")
