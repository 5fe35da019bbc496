"""An image's file to its pixels, and larger pixels to a file of the same format that still says how it was made."""

import json
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cpu_worker.upscaling.tiles import Pixels
from darkroom.jobs import Job
from darkroom.request import OutputFormat

FORMATS = ("PNG", "WEBP", "JPEG")
# Near what the eye cannot tell from 100, as of the images themselves. Of PNG, a file of 16 megapixels in seconds.
QUALITY: dict[OutputFormat, dict[str, Any]] = {
    OutputFormat.PNG: {"compress_level": 2},
    OutputFormat.WEBP: {"quality": 92, "method": 2},
    OutputFormat.JPEG: {"quality": 94, "subsampling": 0},
}


def read(data: bytes) -> tuple[Pixels, dict[str, Any]]:
    """Pixels, and what the file says beside them."""
    # A file of our own making.
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        return np.asarray(image.convert("RGB")), {str(name): value for name, value in image.info.items()}


def written(pixels: Pixels, said: dict[str, Any], job: Job) -> bytes:
    """The file's bytes. `said` is what the image's own file says."""
    request = job.request
    chosen = QUALITY[request.output_format]
    if request.output_quality is not None:
        chosen = chosen | {"quality": request.output_quality}
    if request.output_format is OutputFormat.PNG:
        chosen = chosen | {"pnginfo": _text(said, job)}
    elif "exif" in said:
        chosen = chosen | {"exif": said["exif"]}
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, request.output_format.value, **chosen)
    return buffer.getvalue()


def _text(said: dict[str, Any], job: Job) -> PngInfo:
    """The request that makes the image again, and now has it upscaled too."""
    text = PngInfo()
    text.add_text("Software", "Darkroom")
    text.add_text("darkroom-job", job.id)
    if isinstance(parameters := said.get("darkroom"), str):
        text.add_text("darkroom", json.dumps(json.loads(parameters) | {"upscale": job.request.upscale}, sort_keys=True))
    return text
