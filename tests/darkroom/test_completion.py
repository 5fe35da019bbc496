"""Which task a body asks for, what is filled in for its inputs, and what is wrong with them."""

from typing import Any

import pytest

from darkroom.catalogue import Catalogue, ControlNet, ModelCard, read_catalogue
from darkroom.completion import complete
from darkroom.errors import InvalidRequest
from darkroom.inputs import Brought, Input, Task, kind_of
from darkroom.request import GenerateBody, ImageRequest
from darkroom.settings import BUNDLED_CATALOGUE, Settings
from tests.models.tiny.pipelines import card

SQUARE = Input("upl_" + "a" * 24, 64, 64)
MASK = Input("upl_" + "b" * 24, 64, 64)
WIDE = Input("upl_" + "c" * 24, 128, 64, has_alpha=True)
REDRAWS = (Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE, Task.INPAINTING)


def painter(**fields: Any) -> ModelCard:
    return card("sd", id="painter", **{"tasks": REDRAWS, "controlnets": {"edges": ControlNet(hub_id="a/b")}, **fields})


EDITOR = card("flux2", id="editor", tasks=(Task.EDIT,), max_images=2)


def completed(brought: Brought | None = None, of: ModelCard | None = None, **fields: Any) -> ImageRequest:
    model = of or painter()
    body = GenerateBody.model_validate({"prompt": "a boat", "model": model.id} | fields)
    settings = Settings(_env_file=None)
    return complete(body, Catalogue({model.id: model}), settings, lambda: 7, brought or Brought())


def faults(brought: Brought | None = None, of: ModelCard | None = None, **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        completed(brought, of, **fields)
    return [(fault.field, fault.code) for fault in refused.value.faults]


def test_without_inputs_a_request_is_text_to_image() -> None:
    request = completed()

    assert (request.task, request.strength, request.inputs) == (Task.TEXT_TO_IMAGE, None, ())


def test_an_image_is_redrawn_in_part_and_costs_the_steps_that_are_made() -> None:
    request = completed(Brought((SQUARE,)), image=SQUARE.id, steps=10)

    assert (request.task, request.strength, request.image) == (Task.IMAGE_TO_IMAGE, 0.6, (SQUARE.id,))
    assert request.drawn_steps == 6
    assert request.cost == pytest.approx(6 * 32 * 32 / 1e6)


def test_a_mask_is_redrawn_whole_unless_the_request_says_how_much() -> None:
    both = Brought((SQUARE,), MASK)

    assert completed(both, image=SQUARE.id, mask=MASK.id).strength == 1.0
    assert completed(both, image=SQUARE.id, mask=MASK.id, strength=0.5).strength == 0.5
    assert completed(both, image=SQUARE.id, mask=MASK.id).inputs == (SQUARE.id, MASK.id)


def test_the_image_s_own_transparency_can_be_the_mask() -> None:
    request = completed(Brought((WIDE,)), image=WIDE.id, mask="alpha")

    assert (request.task, request.mask, request.inputs) == (Task.INPAINTING, "alpha", (WIDE.id,))


def test_an_editor_takes_several_images_and_pays_for_each() -> None:
    request = completed(Brought((SQUARE, WIDE)), EDITOR, image=[SQUARE.id, WIDE.id])

    assert (request.task, request.strength, request.image) == (Task.EDIT, None, (SQUARE.id, WIDE.id))
    assert request.cost == pytest.approx(3 * completed(of=painter()).cost)


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((64, 64), None),
        ((64, 512), None),
        ((63, 400), "input_too_small"),
        ((400, 63), "input_too_small"),
        ((64, 513), "input_too_narrow"),
    ],
)
def test_an_image_that_an_editor_s_pipeline_would_refuse_is_refused_before(
    size: tuple[int, int], code: str | None
) -> None:
    strict = card("flux2", id="strict", tasks=(Task.EDIT,), min_image_side=64, max_image_ratio=8)
    image = Input("upl_" + "e" * 24, *size)

    if code is None:
        assert completed(Brought((image,)), strict, image=image.id, width=32, height=32).task is Task.EDIT
    else:
        assert faults(Brought((image,)), strict, image=image.id, width=32, height=32) == [("image", code)]


def test_those_that_edit_with_flux2_say_what_its_pipeline_takes() -> None:
    cards = read_catalogue(BUNDLED_CATALOGUE).values()

    strict = {(each.min_image_side, each.max_image_ratio) for each in cards if each.pipeline.startswith("Flux2")}
    assert strict == {(64, 8)}


def test_a_model_that_does_both_redraws_where_a_strength_is_given() -> None:
    both = painter(tasks=(*REDRAWS, Task.EDIT))

    assert completed(Brought((SQUARE,)), both, image=SQUARE.id).task is Task.EDIT
    assert completed(Brought((SQUARE,)), both, image=SQUARE.id, strength=0.5).task is Task.IMAGE_TO_IMAGE


def test_a_controlnet_has_a_scale_of_one_unless_told() -> None:
    request = completed(Brought(control_image=SQUARE), controlnet="edges", control_image=SQUARE.id)

    assert (request.task, request.control_scale, request.control_image) == (Task.CONTROLNET, 1.0, SQUARE.id)


@pytest.mark.parametrize(
    ("picture", "size"),
    [((64, 64), (32, 32)), ((4000, 3000), (40, 32)), ((10, 10_000), (32, 64)), ((6000, 1500), (64, 32))],
)
def test_without_a_size_the_picture_s_shape_is_drawn(picture: tuple[int, int], size: tuple[int, int]) -> None:
    request = completed(Brought((Input(SQUARE.id, *picture),)), image=SQUARE.id)

    assert (request.width, request.height) == size


def test_a_size_that_is_asked_for_is_drawn() -> None:
    assert completed(Brought((WIDE,)), image=WIDE.id, width=64, height=40).width == 64


@pytest.mark.parametrize(
    ("brought", "fields", "expected"),
    [
        (Brought(), {"mask": MASK.id}, [("mask", "mask_without_image")]),
        (Brought(), {"mask": "alpha"}, [("mask", "mask_without_image")]),
        (Brought((SQUARE,)), {"image": SQUARE.id, "mask": "alpha"}, [("mask", "mask_without_alpha")]),
        (Brought((WIDE,), MASK), {"image": WIDE.id, "mask": MASK.id}, [("mask", "input_sizes_differ")]),
        (Brought((SQUARE,) * 2), {"image": [SQUARE.id] * 2}, [("image", "too_many_images")]),
        (Brought((SQUARE,)), {"image": SQUARE.id, "strength": 0.0}, [("strength", "strength_out_of_range")]),
        (Brought((SQUARE,)), {"image": SQUARE.id, "strength": 1.01}, [("strength", "strength_out_of_range")]),
        (Brought((SQUARE,)), {"image": SQUARE.id, "strength": float("nan")}, [("strength", "strength_out_of_range")]),
        (
            Brought((SQUARE,)),
            {"image": SQUARE.id, "strength": 0.1, "steps": 5},
            [("strength", "strength_out_of_range")],
        ),
        (Brought(), {"strength": 0.5}, [("strength", "strength_without_image")]),
        (Brought(), {"controlnet": "edges"}, [("controlnet", "control_incomplete")]),
        (Brought(control_image=SQUARE), {"control_image": SQUARE.id}, [("controlnet", "control_incomplete")]),
        (Brought(), {"control_scale": 1.0}, [("control_scale", "control_incomplete")]),
        (
            Brought(control_image=SQUARE),
            {"controlnet": "depth", "control_image": SQUARE.id},
            [("controlnet", "unknown_controlnet")],
        ),
        (
            Brought(control_image=SQUARE),
            {"controlnet": "edges", "control_image": SQUARE.id, "control_scale": 3.0},
            [("control_scale", "control_scale_out_of_range")],
        ),
        (
            Brought((SQUARE,), None, SQUARE),
            {"controlnet": "edges", "control_image": SQUARE.id, "image": SQUARE.id},
            [("image", "inputs_conflict")],
        ),
    ],
)
def test_what_is_wrong_with_inputs_has_its_own_code(
    brought: Brought, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert faults(brought, **fields) == expected


def test_a_task_that_the_model_does_not_do_is_refused() -> None:
    assert faults(of=EDITOR) == [("model", "task_unsupported")]
    assert faults(Brought((SQUARE,)), card("sd"), image=SQUARE.id) == [("model", "task_unsupported")]
    assert faults(Brought((SQUARE,), MASK), EDITOR, image=SQUARE.id, mask=MASK.id) == [("model", "task_unsupported")]
    assert faults(Brought((SQUARE,) * 3), EDITOR, image=[SQUARE.id] * 3) == [("image", "too_many_images")]


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("upl_" + "0f" * 12, "upload"),
        ("0660d9ef348c3f3f2f215f6d81a1-0", "image"),
        ("data:image/png;base64,AAAA", "data"),
        ("HTTPS://example.com/a.png", "url"),
        ("upl_xyz", None),
        ("file:///etc/passwd", None),
        ("", None),
    ],
)
def test_a_reference_says_what_it_is(reference: str, kind: str | None) -> None:
    assert kind_of(reference) == kind
