"""Lanes that edit images as a prompt says, and lanes led by a ControlNet: each draws as the plain pipeline does."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from darkroom.inputs import Task
from darkroom.request import ImageRequest
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.profiling.loading import Nobody
from models.schedulers import own_scheduler
from tests.conftest import MakeRequest
from tests.gpu_worker.engine.pictures import controlled, picture
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny.pipelines import SIDE, card

# FLUX.2 edits nothing smaller.
INPUTS = {"upl_" + letter * 24: picture(seed).resize((64, 64)) for seed, letter in enumerate("ab")}
ONE, OTHER = INPUTS
TOLERANCE = 1  # of 255

Wish = Callable[..., ImageRequest]


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(Knees(8), "cpu")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def wish(request_of: MakeRequest) -> Wish:
    return lambda **changes: request_of(
        **{"width": SIDE, "height": SIDE, "steps": 3, "scheduler": "flow_euler", **changes}
    )


def drawn(lanes: list[PipelineLane], requests: list[ImageRequest]) -> list[Any]:
    with ThreadPoolExecutor(len(lanes)) as threads:
        images = list(threads.map(lambda pair: pair[0].run(pair[1], Nobody()), zip(lanes, requests, strict=True)))
    return [np.asarray(image, dtype=np.int16) for [image] in images]


def alone(pipeline: Any, request: ImageRequest, arguments: Mapping[str, Any]) -> Any:
    pipeline.scheduler = own_scheduler(pipeline, request.scheduler)
    pipeline.set_progress_bar_config(disable=True)
    output = pipeline(
        prompt=request.prompt,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance_scale,
        width=request.width,
        height=request.height,
        generator=[torch.Generator().manual_seed(request.seed)],
        **arguments,
    )
    return np.asarray(output.images[0], dtype=np.int16)


def check(images: list[Any], expected: list[Any]) -> None:
    for image, other in zip(images, expected, strict=True):
        assert np.abs(image - other).max() <= TOLERANCE


def test_flux2_edits_several_images_beside_text_to_image(
    engine: Engine, tiny_card: TinyCard, tiny_pipeline: TinyPipeline, wish: Wish
) -> None:
    base = tiny_pipeline("flux2_klein")
    lanes = [PipelineLane(tiny_card("flux2_klein"), base, engine, read=INPUTS.__getitem__) for _ in range(3)]
    requests = [
        wish(task=Task.EDIT, image=(ONE,), seed=1),
        wish(task=Task.EDIT, image=(ONE, OTHER), seed=2),
        wish(seed=3),
    ]

    images = drawn(lanes, requests)

    pictures = [[INPUTS[ONE]], [INPUTS[ONE], INPUTS[OTHER]], None]
    check(images, [alone(base, each, {"image": given}) for each, given in zip(requests, pictures, strict=True)])


def test_flux_kontext_edits_in_the_size_that_is_asked_for(
    engine: Engine, tiny_pipeline: TinyPipeline, wish: Wish
) -> None:
    from diffusers import FluxKontextPipeline

    parts = {name: part for name, part in tiny_pipeline("flux").components.items() if part is not None}
    base: Any = FluxKontextPipeline(**parts)
    kontext = card("flux", pipeline="FluxKontextPipeline")
    lanes = [PipelineLane(kontext, base, engine, read=INPUTS.__getitem__) for _ in range(2)]
    requests = [wish(task=Task.EDIT, image=(ONE,), seed=1, width=48), wish(seed=3)]

    images = drawn(lanes, requests)

    assert images[0].shape == (SIDE, 48, 3)
    edit = {"image": INPUTS[ONE], "max_area": 48 * SIDE, "_auto_resize": False}
    check(images, [alone(base, requests[0], edit), alone(base, requests[1], {"max_area": SIDE * SIDE})])


def test_controlnets_of_several_scales_draw_beside_text_to_image(
    engine: Engine, tiny_card: TinyCard, tiny_pipeline: TinyPipeline, wish: Wish
) -> None:
    base = tiny_pipeline("sd")
    led = controlled(base)
    controlnets = {"edges": led.controlnet}
    lanes = [
        PipelineLane(tiny_card("sd"), base, engine, read=INPUTS.__getitem__, controlnets=controlnets) for _ in range(3)
    ]
    control = {"task": Task.CONTROLNET, "controlnet": "edges", "control_image": ONE, "scheduler": "ddim"}
    requests = [
        wish(**control, control_scale=0.5, seed=1),
        wish(**control, control_scale=1.5, seed=2),
        wish(scheduler="ddim", seed=3),
    ]

    images = drawn(lanes, requests)

    scales = [{"image": INPUTS[ONE], "controlnet_conditioning_scale": each.control_scale} for each in requests[:2]]
    check(images, [*(alone(led, *pair) for pair in zip(requests, scales, strict=False)), alone(base, requests[2], {})])
