"""The form of POST /v1/images/edits: pictures, and fields that are all text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, StrictFloat, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api.inputs.forms import MalformedForm
from api.openai.body import ImagesBody
from darkroom.errors import InvalidRequest
from darkroom.inputs import Fit
from darkroom.request import MOST_IMAGES

IMAGES = frozenset({"image", "image[]"})
MOST_FIELDS = 50
WHOLE = frozenset({"n", "output_compression", "partial_images", "seed", "steps"})
NUMBERS = frozenset({"guidance_scale", "deadline_s", "strength"})
YES_OR_NO = {"true": True, "false": False}


class EditsBody(ImagesBody):
    """What stands beside the pictures."""

    input_fidelity: Literal["high", "low"] | None = Field(
        default=None, description="Changes nothing: `strength` says how much of the image is redrawn."
    )
    strength: StrictFloat | None = Field(default=None, description="As in `POST /generate`, like `fit`.")
    fit: Fit = Fit.CROP


@dataclass(frozen=True)
class Edit:
    """A body, and the pictures of it: `names` of images in order, and all bytes by name."""

    body: EditsBody
    names: tuple[str, ...]
    mask: str | None
    parts: Mapping[str, bytes]


async def read_edit(request: Request) -> Edit:
    """Raises MalformedForm, InvalidRequest, RequestValidationError."""
    fields: dict[str, Any] = {}
    parts: dict[str, bytes] = {}
    try:
        async with request.form(max_files=MOST_IMAGES + 1, max_fields=MOST_FIELDS) as form:
            for name, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    fields[name] = _read(name, value)
                elif name in IMAGES:
                    parts[f"image {len(parts)}"] = await value.read()
                elif name == "mask":
                    parts["mask"] = await value.read()
                else:
                    raise InvalidRequest.of(name[:80], "unknown_field", f"There is no file {name[:80]!r} of an edit.")
    except HTTPException as error:
        if error.status_code != 400:
            raise
        raise MalformedForm(f"The form cannot be read ({error.detail}). Send it as OpenAI's clients do.") from error
    names = tuple(name for name in parts if name != "mask")
    if not names:
        raise InvalidRequest.of(
            "image", "missing_field", "The form has no image: add the file to be edited as `image`."
        )
    if len(names) > MOST_IMAGES:
        raise InvalidRequest.of(
            "image", "too_many_images", f"The form has {len(names)} images; send {MOST_IMAGES} at most."
        )
    return Edit(_body(fields), names, "mask" if "mask" in parts else None, parts)


def _body(fields: Mapping[str, Any]) -> EditsBody:
    try:
        return EditsBody.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError([part | {"loc": ("body", *part["loc"])} for part in error.errors()]) from error


def _read(name: str, text: str) -> object:
    """A form's text as JSON would have it; what cannot be read stays, and is refused with its field's name."""
    try:
        if name in WHOLE:
            return int(text)
        if name in NUMBERS:
            return float(text)
    except ValueError:
        return text
    return YES_OR_NO.get(text.lower(), text) if name in {"stream", "cancel_on_disconnect"} else text
