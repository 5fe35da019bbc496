"""Pictures that a request brings: what they are for, how a request names them, and what is known of one."""

import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

# What a request says for a mask that is the image's own transparency.
ALPHA = "alpha"

_UPLOAD_ID = re.compile(r"upl_[0-9a-f]{24}")
_IMAGE_ID = re.compile(r"[0-9a-f]{28}-[0-9]{1,4}")


class Task(StrEnum):
    """What a request asks of its model."""

    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_IMAGE = "image-to-image"
    INPAINTING = "inpainting"
    EDIT = "edit"
    """The prompt says what to change in the images."""
    CONTROLNET = "controlnet"
    UPSCALE = "upscale"
    """Of images that jobs have made; no diffusion model does it."""


class Fit(StrEnum):
    """How an input comes to the size that is drawn, where its shape differs."""

    FIT = "fit"
    """Scaled, and so distorted."""
    CROP = "crop"
    """Its middle."""
    PAD = "pad"
    """All of it, its edges repeated beside it."""


class ReferenceKind(StrEnum):
    UPLOAD = "upload"
    IMAGE = "image"
    DATA = "data"
    URL = "url"


@dataclass(frozen=True)
class Input:
    """A picture in the form in which it is kept: 8 bits, upright, with an alpha channel where it is transparent."""

    id: str
    width: int
    height: int
    has_alpha: bool = False


@dataclass(frozen=True)
class Brought:
    """The inputs of one request."""

    image: tuple[Input, ...] = ()
    mask: Input | None = None
    control_image: Input | None = None


def kind_of(reference: str) -> ReferenceKind | None:
    """None for what names no picture."""
    if _UPLOAD_ID.fullmatch(reference):
        return ReferenceKind.UPLOAD
    if _IMAGE_ID.fullmatch(reference):
        return ReferenceKind.IMAGE
    if reference[:5].lower() == "data:":
        return ReferenceKind.DATA
    if reference[:8].lower() == "https://" or reference[:7].lower() == "http://":
        return ReferenceKind.URL
    return None


def new_upload_id() -> str:
    return f"upl_{secrets.token_hex(12)}"
