"""Turns an image into a file that says how it was made. Knows no storage."""

import json
import zlib
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from darkroom.jobs import Job
from darkroom.request import OutputFormat

CONTENT_TYPES = {OutputFormat.PNG: "image/png", OutputFormat.WEBP: "image/webp", OutputFormat.JPEG: "image/jpeg"}

# Near the point where the eye stops seeing a difference; full colour resolution, as flat colours show its loss first.
QUALITY: dict[OutputFormat, dict[str, Any]] = {
    # Drawn images hardly repeat themselves but for runs, once PNG's filters were at them: a search for more costs twice
    # the time and saves nothing. benchmarks/overhead/png.py measures it.
    OutputFormat.PNG: {"compress_type": zlib.Z_RLE},
    OutputFormat.WEBP: {"quality": 92, "method": 4},
    OutputFormat.JPEG: {"quality": 94, "subsampling": 0},
}
# Exif's marker for text that is plain ASCII.
ASCII = b"ASCII\0\0\0"
# All of a JPEG's EXIF must fit into one segment of 64 KiB.
JPEG_TEXT_LIMIT = 60_000


def encode(image: Image.Image, job: Job, index: int) -> bytes:
    """The file's bytes, with the request that makes this one image again in it, as JSON that `POST /generate` takes.

    PNG has it as the text `darkroom`, the others as the EXIF tag `UserComment`; a JPEG goes without if it is too long.
    """
    file_format, quality = job.request.output_format, job.request.output_quality
    chosen = QUALITY[file_format] | ({} if quality is None else {"quality": quality})
    buffer = BytesIO()
    image.save(buffer, file_format.value, **chosen, **_carrying(job, index))
    return buffer.getvalue()


def parameters_of(job: Job, index: int) -> dict[str, Any]:
    """All it takes to make this one image again: its own seed, and `n` = 1."""
    left_out = {"priority", "preview_every", "deadline_s", "task", *(() if job.request.image else ("image", "fit"))}
    request = job.request.model_dump(mode="json", exclude=left_out, exclude_none=True)
    return request | {"seed": job.request.seed_of(index), "n": 1}


def _carrying(job: Job, index: int) -> dict[str, Any]:
    parameters = json.dumps(parameters_of(job, index), sort_keys=True)
    if job.request.output_format is OutputFormat.PNG:
        text = PngInfo()
        text.add_text("Software", "Darkroom")
        text.add_text("darkroom", parameters)
        text.add_text("darkroom-job", job.id)
        return {"pnginfo": text}
    exif = Image.Exif()
    exif[Base.Software] = "Darkroom"
    details = exif.get_ifd(IFD.Exif)
    details[Base.ImageUniqueID] = f"{job.id}{index:04x}"
    if job.request.output_format is not OutputFormat.JPEG or len(parameters) <= JPEG_TEXT_LIMIT:
        details[Base.UserComment] = ASCII + parameters.encode("ascii")
    return {"exif": exif}
