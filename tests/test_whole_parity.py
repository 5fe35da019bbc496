"""Jobs of every task that minilab does, at once over HTTP: each image is what the plain pipelines draw alone."""

import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from darkroom.catalogue import read_catalogue
from darkroom.inputs import ALPHA
from darkroom.request import ImageRequest
from darkroom.settings import BUNDLED_CATALOGUE
from models.call import call_arguments
from models.lane_pipeline import choose_scheduler, lane_pipeline
from models.loading import load_pipeline
from models.pictures import pictures_of
from models.tasks import task_pipeline

TOLERANCE = 1  # of 255: rows of a larger batch are summed in another order

Body = dict[str, Any]


def drawing() -> Image.Image:
    image = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(image).ellipse((30, 30, 98, 98), fill="red")
    return image


def half() -> Image.Image:
    mask = Image.new("L", (128, 128), 0)
    mask.paste(255, (0, 0, 64, 128))
    return mask


def data_url(image: Image.Image) -> str:
    buffer = BytesIO()
    image.save(buffer, "png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def bodies() -> Sequence[Body]:
    image, mask = data_url(drawing()), data_url(half())
    return [
        {"seed": 1},
        {"seed": 2, "image": image, "strength": 0.5},
        {"seed": 3, "image": image, "mask": mask},
        {"seed": 4, "steps": 11, "scheduler": "euler", "image": image, "strength": 0.8, "n": 2},
        {"seed": 5, "steps": 7, "guidance_scale": 0.0},
        {"seed": 6, "image": image, "mask": mask, "strength": 0.7, "scheduler": "ddim", "negative_prompt": "blue"},
        {"seed": 7, "width": 96, "height": 160, "image": image, "strength": 0.6, "fit": "pad"},
        {"seed": 8, "width": 192, "height": 128},
    ]


def test_every_task_in_a_mixed_batch_draws_what_the_plain_pipeline_draws(stack_url: str) -> None:
    with httpx.Client(base_url=stack_url, trust_env=False, timeout=120) as http, ThreadPoolExecutor(8) as threads:
        jobs = list(threads.map(lambda body: job_of(http, body), bodies()))
        images = [[fetched(http, image["url"]) for image in job["images"]] for job in jobs]
        inputs = {each["id"]: opened(http.get(each["url"]).content) for job in jobs for each in job["inputs"]}

    assert {job["request"]["task"] for job in jobs} == {"text-to-image", "image-to-image", "inpainting"}
    alone = drawn_alone([ImageRequest.model_validate(job["request"]) for job in jobs], inputs)
    for job, ours, plain in zip(jobs, images, alone, strict=True):
        for one, other in zip(ours, plain, strict=True):
            assert np.abs(one - other).max() <= TOLERANCE, job["request"]


def job_of(http: httpx.Client, body: Body) -> Any:
    answer = http.post(
        "/generate", json={"prompt": "a blue square on a yellow background"} | body, headers={"Prefer": "wait=60"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def fetched(http: httpx.Client, url: str) -> Any:
    return np.asarray(opened(http.get(url).content).convert("RGB"), dtype=np.int16)


def drawn_alone(requests: Sequence[ImageRequest], inputs: dict[str, Image.Image]) -> list[list[Any]]:
    card = read_catalogue(BUNDLED_CATALOGUE)["minilab"]
    base = load_pipeline(card, device="cpu", dtype=torch.float32)
    with torch.inference_mode():
        return [_alone(card, base, request, inputs) for request in requests]


def _alone(card: Any, base: Any, request: ImageRequest, inputs: dict[str, Image.Image]) -> list[Any]:
    assert request.mask != ALPHA
    pipeline: Any = lane_pipeline(task_pipeline(card, base, request.task))
    choose_scheduler(pipeline, base, request.scheduler)
    output = pipeline(
        **call_arguments(card, request, pictures_of(request, inputs.__getitem__)),
        generator=[torch.Generator().manual_seed(request.seed_of(index)) for index in range(request.n)],
        output_type="pil",
    )
    return [np.asarray(image.convert("RGB"), dtype=np.int16) for image in output.images]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """The service has the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
