import json
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from darkroom.catalogue import read_catalogue
from darkroom.completion import complete
from darkroom.jobs import Job, JobState
from darkroom.request import GenerateBody, OutputFormat
from darkroom.settings import BUNDLED_CATALOGUE, Settings
from gpu_worker.delivery.encoding import CONTENT_TYPES, encode
from tests.conftest import MakeRequest

JOB_ID = "0" * 28
PICTURE = Image.linear_gradient("L").convert("RGB").resize((128, 96))


def job_of(make: MakeRequest, **changes: object) -> Job:
    request = make(**{"width": 128, "height": 96, "steps": 9, **changes})
    return Job(JOB_ID, "alice", request, JobState.RUNNING, created_ms=0, attempt=1)


def text_in(data: bytes) -> str | None:
    """Where other programs would look for it."""
    with Image.open(BytesIO(data)) as image:
        if image.format == "PNG":
            return str(image.info["darkroom"])
        comment: bytes | None = image.getexif().get_ifd(IFD.Exif).get(Base.UserComment)
        return comment.removeprefix(b"ASCII\0\0\0").decode("ascii") if comment else None


def parameters_in(data: bytes) -> dict[str, Any]:
    text = text_in(data)
    assert text
    parameters: dict[str, Any] = json.loads(text)
    return parameters


def no_seed() -> int:
    raise AssertionError("the parameters should have a seed")


@pytest.mark.parametrize("output_format", OutputFormat)
def test_a_file_is_of_the_format_and_size_asked_for(output_format: OutputFormat, request_of: MakeRequest) -> None:
    data = encode(PICTURE, job_of(request_of, output_format=output_format), 0)

    with Image.open(BytesIO(data)) as image:
        assert (image.get_format_mimetype(), image.size) == (CONTENT_TYPES[output_format], PICTURE.size)


def test_a_png_keeps_every_pixel(request_of: MakeRequest) -> None:
    with Image.open(BytesIO(encode(PICTURE, job_of(request_of), 0))) as image:
        assert image.tobytes() == PICTURE.tobytes()


@pytest.mark.parametrize("output_format", OutputFormat)
def test_an_image_carries_the_request_that_makes_it_again(output_format: OutputFormat, request_of: MakeRequest) -> None:
    prompt = 'a "red" circle\nand 日本語 🎈 \\ in the rain'
    job = job_of(request_of, prompt=prompt, negative_prompt="clouds", n=3, seed=7, output_format=output_format)

    parameters = parameters_in(encode(PICTURE, job, 2))

    body = GenerateBody.model_validate(parameters)
    again = complete(body, read_catalogue(BUNDLED_CATALOGUE), Settings(), no_seed)
    assert again == job.request.model_copy(update={"seed": 9, "n": 1})


def test_seeds_start_again_at_zero_after_the_last(request_of: MakeRequest) -> None:
    job = job_of(request_of, seed=2**32 - 1, n=2)

    assert parameters_in(encode(PICTURE, job, 1))["seed"] == 0


def test_a_jpeg_whose_parameters_are_too_long_for_exif_goes_without_them(request_of: MakeRequest) -> None:
    job = job_of(request_of, prompt="🎈" * 4000, negative_prompt="🌧" * 4000, output_format=OutputFormat.JPEG)

    data = encode(PICTURE, job, 0)

    assert text_in(data) is None
    with Image.open(BytesIO(data)) as image:
        assert image.getexif().get_ifd(IFD.Exif)[Base.ImageUniqueID] == JOB_ID + "0000"


@pytest.mark.parametrize("output_format", [OutputFormat.PNG, OutputFormat.WEBP])
def test_other_formats_take_the_longest_prompts(output_format: OutputFormat, request_of: MakeRequest) -> None:
    job = job_of(request_of, prompt="🎈" * 4000, negative_prompt="🌧" * 4000, output_format=output_format)

    assert parameters_in(encode(PICTURE, job, 0))["prompt"] == job.request.prompt


def test_a_png_is_quick_to_make_and_hardly_larger_than_one_that_is_searched_through(request_of: MakeRequest) -> None:
    smooth = np.asarray(PICTURE.resize((256, 256), Image.Resampling.BICUBIC), dtype=float)
    grain = np.random.default_rng(0).normal(0, 3, (256, 256, 3))
    drawn = Image.fromarray((smooth + grain).clip(0, 255).astype("uint8"))
    searched = BytesIO()
    drawn.save(searched, "png", compress_level=4)

    data = encode(drawn, job_of(request_of), 0)

    assert len(data) < 1.1 * len(searched.getvalue())
