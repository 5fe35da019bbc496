"""POST /v1/images/edits by the unchanged client: pictures come as a form, and are inputs like any other."""

from typing import Any

import openai
import pytest

from darkroom.inputs import Task
from darkroom.job_store.store import JobStore
from tests.api.input_pictures import picture, with_hole
from tests.api.openai.painter import Painter

Ai = openai.OpenAI


def test_an_image_is_redrawn_as_its_fields_say(ai: Ai, painter: Painter, store: JobStore) -> None:
    answer = ai.images.edit(
        image=picture(), prompt="a blue circle", n=2, size="96x64", quality="low", input_fidelity="high",
        extra_body={"seed": 7, "strength": 0.5, "guidance_scale": 3},
    )  # fmt: skip

    request = store.get(answer.job_id).request  # type: ignore[attr-defined]
    assert (request.task, request.strength, request.steps) == (Task.IMAGE_TO_IMAGE, 0.5, 10)
    assert (request.width, request.height, request.seed, request.guidance_scale) == (96, 64, 7, 3.0)
    assert len(request.image) == 1
    assert len(answer.data or []) == 2


def test_with_a_mask_what_it_leaves_open_is_redrawn(ai: Ai, painter: Painter, store: JobStore) -> None:
    answer = ai.images.edit(image=picture(), mask=with_hole(), prompt="a blue circle")

    request = store.get(answer.job_id).request  # type: ignore[attr-defined]
    assert request.task is Task.INPAINTING
    assert request.mask


def test_an_edit_streams_events_of_its_own_type(ai: Ai, painter: Painter) -> None:
    [event] = ai.images.edit(image=picture(), prompt="a blue circle", stream=True)

    assert event.type == "image_edit.completed"


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"image": b"no picture"}, None, "image"),
        ({"image": [picture(), picture(colour="red")]}, "too_many_images", "image"),
        ({"image": [picture()] * 17}, "too_many_images", "image"),
        ({"mask": picture(32, 32)}, "input_sizes_differ", "mask"),
        ({"extra_body": {"strength": 0}}, "strength_out_of_range", "strength"),
        ({"extra_body": {"strength": "half"}}, "invalid_field", "strength"),
        ({"extra_body": {"markup": "x"}}, "unknown_field", "markup"),
        ({"n": 0}, "n_out_of_range", "n"),
        ({"background": "transparent"}, "invalid_field", "background"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_its_field(
    wrong: dict[str, Any], code: str | None, param: str, ai: Ai, store: JobStore
) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as refusal:
        ai.images.edit(**({"image": picture(), "prompt": "a blue circle"} | wrong))

    assert refusal.value.param == param
    assert code in {None, refusal.value.code}
    assert store.newest("anonymous", limit=1) == []
