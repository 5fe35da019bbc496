"""Lanes that redraw: each picture is the plain pipeline's, whoever shares its forwards and whatever they do."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.errors import InputMissing
from darkroom.inputs import Fit, Task
from darkroom.request import ImageRequest
from darkroom.settings import BUNDLED_CATALOGUE
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.profiling.loading import Nobody
from models.loading import load_pipeline
from models.schedulers import own_scheduler
from tests.conftest import MakeRequest

SCENE, HOLE = "upl_" + "a" * 24, "upl_" + "b" * 24
TOLERANCE = 1  # of 255


def scene() -> Image.Image:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return Image.fromarray(
        np.dstack([np.tile(ramp, (64, 1)), np.full((64, 64), 90), np.tile(ramp[:, None], 64)]).astype(np.uint8)
    )


def hole() -> Image.Image:
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (16, 16, 48, 48))
    return mask.convert("RGB")


INPUTS: Mapping[str, Image.Image] = {SCENE: scene(), HOLE: hole()}


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return read_catalogue(BUNDLED_CATALOGUE)["minilab"]


@pytest.fixture(scope="module")
def base(card: ModelCard, one_thread: None) -> Any:
    return load_pipeline(card, device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def lanes(card: ModelCard, base: Any) -> Iterator[list[PipelineLane]]:
    engine = Engine(Knees(8), "cpu")
    engine.start()
    yield [PipelineLane(card, base, engine, read=INPUTS.__getitem__) for _ in range(6)]
    engine.stop()


@pytest.fixture
def wish(request_of: MakeRequest) -> Callable[..., ImageRequest]:
    def make(task: Task = Task.TEXT_TO_IMAGE, **changes: object) -> ImageRequest:
        inputs: dict[str, object] = {}
        if task is not Task.TEXT_TO_IMAGE:
            inputs = {"image": (SCENE,), "strength": 0.6}
        if task is Task.INPAINTING:
            inputs |= {"mask": HOLE, "strength": 1.0}
        return request_of(**{"width": 64, "height": 64, "steps": 5, "task": task, **inputs, **changes})

    return make


def alone(base: Any, request: ImageRequest) -> list[Any]:
    """By diffusers' own pipeline of the task, told by hand."""
    import diffusers

    names = {
        Task.TEXT_TO_IMAGE: "StableDiffusionPipeline",
        Task.IMAGE_TO_IMAGE: "StableDiffusionImg2ImgPipeline",
        Task.INPAINTING: "StableDiffusionInpaintPipeline",
    }
    pipeline = getattr(diffusers, names[request.task]).from_pipe(base)
    pipeline.scheduler = own_scheduler(base, request.scheduler)
    pipeline.set_progress_bar_config(disable=True)
    size = {} if request.task is Task.IMAGE_TO_IMAGE else {"width": request.width, "height": request.height}
    redrawn = {} if request.task is Task.TEXT_TO_IMAGE else {"image": scene(), "strength": request.strength}
    mask = {"mask_image": hole()} if request.task is Task.INPAINTING else {}
    output = pipeline(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance_scale,
        num_images_per_prompt=request.n,
        generator=[torch.Generator().manual_seed(request.seed_of(index)) for index in range(request.n)],
        **size, **redrawn, **mask,
    )  # fmt: skip
    return [np.asarray(image, dtype=np.int16) for image in output.images]


def test_all_tasks_share_lanes_and_forwards_and_draw_what_they_draw_alone(
    lanes: list[PipelineLane], base: Any, wish: Callable[..., ImageRequest]
) -> None:
    requests = [
        wish(guidance_scale=1.0),
        wish(Task.IMAGE_TO_IMAGE, strength=0.4, steps=6, seed=1),
        wish(Task.IMAGE_TO_IMAGE, strength=1.0, scheduler="euler_ancestral", n=2, seed=2),
        wish(Task.INPAINTING, seed=3),
        wish(Task.INPAINTING, strength=0.5, scheduler="ddim", negative_prompt="blue", seed=4),
        wish(steps=3, n=2, seed=5),
    ]

    with ThreadPoolExecutor(len(lanes)) as threads:
        drawn = list(threads.map(lambda pair: pair[0].run(pair[1], Nobody()), zip(lanes, requests, strict=True)))

    for images, request in zip(drawn, requests, strict=True):
        for image, expected in zip(images, alone(base, request), strict=True):
            assert np.abs(np.asarray(image, dtype=np.int16) - expected).max() <= TOLERANCE, request.task


def test_a_lane_goes_from_task_to_task(lanes: list[PipelineLane], base: Any, wish: Callable[..., ImageRequest]) -> None:
    for task in (Task.INPAINTING, Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE, Task.TEXT_TO_IMAGE):
        [image] = lanes[0].run(wish(task), Nobody())
        [expected] = alone(base, wish(task))
        assert np.abs(np.asarray(image, dtype=np.int16) - expected).max() <= TOLERANCE


def test_what_the_mask_keeps_stays_and_what_it_opens_changes(
    lanes: list[PipelineLane], wish: Callable[..., ImageRequest]
) -> None:
    [image] = lanes[0].run(wish(Task.INPAINTING, steps=10), Nobody())

    change = np.abs(np.asarray(image, dtype=np.int16) - np.asarray(scene(), dtype=np.int16)).mean(axis=2)
    assert change[20:44, 20:44].mean() > 3 * change[:8].mean()


def test_the_less_strength_the_nearer_to_the_image(
    lanes: list[PipelineLane], wish: Callable[..., ImageRequest]
) -> None:
    def distance(strength: float) -> float:
        [image] = lanes[0].run(wish(Task.IMAGE_TO_IMAGE, strength=strength, steps=10), Nobody())
        return float(np.abs(np.asarray(image, dtype=np.int16) - np.asarray(scene(), dtype=np.int16)).mean())

    assert distance(0.2) < distance(0.6) < distance(1.0)


def test_steps_are_counted_as_they_are_made(lanes: list[PipelineLane], wish: Callable[..., ImageRequest]) -> None:
    told: list[tuple[int, int]] = []

    class Telling(Nobody):
        def step_done(self, step: int, steps: int) -> None:
            told.append((step, steps))

    request = wish(Task.IMAGE_TO_IMAGE, strength=0.5, steps=10)
    lanes[0].run(request, Telling())

    assert told == [(step, 5) for step in range(1, 6)]
    assert request.drawn_steps == 5


def test_an_input_of_another_shape_is_brought_to_the_size_that_is_asked_for(
    lanes: list[PipelineLane], wish: Callable[..., ImageRequest]
) -> None:
    for fit in Fit:
        [image] = lanes[0].run(wish(Task.IMAGE_TO_IMAGE, width=96, height=64, fit=fit), Nobody())
        assert image.size == (96, 64)


def test_a_lane_without_inputs_fails_a_job_that_has_some(
    card: ModelCard, base: Any, wish: Callable[..., ImageRequest]
) -> None:
    engine = Engine(Knees(8), "cpu")

    with pytest.raises(InputMissing, match=SCENE):
        PipelineLane(card, base, engine).run(wish(Task.IMAGE_TO_IMAGE), Nobody())
