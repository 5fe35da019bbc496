"""Jobs that start from a picture do not depend on their batch mates either: encoders and ControlNets batch too."""

from typing import Any

import pytest

from tests.gpu_worker.engine.batch_mates import Order, alone, difference, together
from tests.gpu_worker.engine.pictures import CLASSES, controlled, image_to_image, inpainting, mask, picture
from tests.gpu_worker.engine.test_parity import TOLERANCE
from tests.models.conftest import TinyPipeline
from tests.models.tiny.pipelines import SIDE, Family

STRENGTHS = (0.6, 0.9, 0.8, 1.0)
STEPS = (5, 6, 4, 3)
GUIDANCE = (3.0, 1.0, 5.0, 3.0)


@pytest.mark.parametrize("family", CLASSES)
def test_image_to_image_in_a_mixed_batch(family: Family, tiny_pipeline: TinyPipeline) -> None:
    base = image_to_image(tiny_pipeline(family), family)
    size = {} if family in {"sd", "sdxl"} else {"width": SIDE, "height": SIDE}  # those take the picture's

    orders = [_order(number, family, image=picture(number), strength=STRENGTHS[number], **size) for number in range(4)]

    _check(base, orders)


@pytest.mark.parametrize("family", CLASSES)
def test_inpainting_in_a_mixed_batch(family: Family, tiny_pipeline: TinyPipeline) -> None:
    base = inpainting(tiny_pipeline(family), family)
    orders = [
        _order(
            number,
            family,
            image=picture(number),
            mask_image=mask(4 * number),
            strength=STRENGTHS[number],
            width=SIDE,
            height=SIDE,
        )
        for number in range(4)
    ]

    _check(base, orders)


def test_a_controlnet_in_a_mixed_batch(tiny_pipeline: TinyPipeline) -> None:
    base = controlled(tiny_pipeline("sd"))
    orders = [_order(number, "sd", image=picture(number), width=SIDE, height=SIDE) for number in range(4)]

    rows_of = _check(base, orders)

    assert max(rows_of["controlnet"]) >= 5


def _order(number: int, family: Family, **arguments: Any) -> Order:
    schedulers = ("dpmpp_2m", "euler_ancestral", "ddim", "ddim") if family in {"sd", "sdxl"} else (None,) * 4
    return Order(
        {
            "prompt": "a red circle",
            "num_inference_steps": STEPS[number],
            "guidance_scale": GUIDANCE[number],
            **arguments,
        },
        scheduler=schedulers[number],
        seeds=(number,),
    )


def _check(base: Any, orders: list[Order]) -> dict[str, list[int]]:
    batch_mates = together(base, orders)

    assert difference(batch_mates.images, [alone(base, each) for each in orders]) < TOLERANCE
    assert max(batch_mates.rows) >= 3, "more than any lane brings by itself"
    assert max(batch_mates.rows_of.get("encoder", [2])) >= 2, "pictures are encoded together"
    return batch_mates.rows_of
