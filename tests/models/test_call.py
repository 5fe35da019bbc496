import inspect

import pytest

from models.call import call_arguments
from tests.models.tiny import pipelines as tiny
from tests.models.tiny.pipelines import FAMILIES, Family
from tests.models.wish import Wish


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_knows_every_argument_it_is_given(family: Family) -> None:
    import diffusers

    arguments = call_arguments(tiny.card(family), Wish(negative_prompt="blue"))

    signature = inspect.signature(getattr(diffusers, tiny.PIPELINES[family]).__call__)
    assert set(arguments) <= set(signature.parameters)


@pytest.mark.parametrize("family", FAMILIES)
def test_prompt_size_steps_and_number_reach_every_family(family: Family) -> None:
    arguments = call_arguments(tiny.card(family), Wish(prompt="a boat", width=64, height=32, steps=7, n=3))

    assert arguments["prompt"] == "a boat"
    assert (arguments["width"], arguments["height"]) == (64, 32)
    assert arguments["num_inference_steps"] == 7
    assert arguments["num_images_per_prompt"] == 3


@pytest.mark.parametrize("family", ["sd", "sdxl", "sd3"])
def test_guided_families_take_guidance_and_a_negative_prompt(family: Family) -> None:
    arguments = call_arguments(tiny.card(family), Wish(guidance_scale=5.5, negative_prompt="blue"))

    assert arguments["guidance_scale"] == 5.5
    assert arguments["negative_prompt"] == "blue"


@pytest.mark.parametrize("family", ["flux", "flux2", "flux2_klein", "z_image"])
def test_distilled_families_are_given_no_negative_prompt(family: Family) -> None:
    arguments = call_arguments(tiny.card(family), Wish(guidance_scale=2.5))

    assert arguments["guidance_scale"] == 2.5
    assert "negative_prompt" not in arguments


def test_qwen_image_is_guided_by_its_own_word_for_it() -> None:
    arguments = call_arguments(tiny.card("qwen_image"), Wish(guidance_scale=4.0, negative_prompt="blue"))

    assert arguments["true_cfg_scale"] == 4.0
    assert arguments["negative_prompt"] == "blue"
    assert "guidance_scale" not in arguments


def test_qwen_image_gets_a_blank_negative_prompt_because_it_guides_with_none_else() -> None:
    arguments = call_arguments(tiny.card("qwen_image"), Wish(guidance_scale=4.0, negative_prompt=None))

    assert arguments["negative_prompt"] == " "


def test_qwen_image_without_guidance_gets_no_negative_prompt() -> None:
    arguments = call_arguments(tiny.card("qwen_image"), Wish(guidance_scale=1.0, negative_prompt="blue"))

    assert arguments["true_cfg_scale"] == 1.0
    assert "negative_prompt" not in arguments
