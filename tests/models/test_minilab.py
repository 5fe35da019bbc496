"""The bundled model draws what it is told to, not just anything."""

from typing import Any

import numpy as np
import pytest

from darkroom.catalogue import Catalogue
from models.call import call_arguments
from models.lane_pipeline import lane_pipeline
from tests.models.wish import Wish


def test_minilab_draws_a_red_circle_on_white(minilab: Any, catalogue: Catalogue) -> None:
    image = _draw(minilab, catalogue, Wish(width=128, height=128, steps=20, guidance_scale=2.0))

    assert image.shape == (128, 128, 3)
    assert _is_red(image[56:72, 56:72])
    for corner in (image[:12, :12], image[:12, -12:], image[-12:, :12], image[-12:, -12:]):
        assert corner.mean() > 0.9


def test_each_of_its_schedulers_draws_the_same_thing(minilab: Any, catalogue: Catalogue) -> None:
    for scheduler in catalogue["minilab"].schedulers:
        wish = Wish(width=128, height=128, steps=12, guidance_scale=2.0)

        image = _draw(lane_pipeline(minilab, scheduler), catalogue, wish)

        assert _is_red(image[56:72, 56:72]), scheduler
        assert image[:12, :12].mean() > 0.85, scheduler


@pytest.mark.parametrize(("colour", "strongest"), [("green", 1), ("blue", 2)])
def test_another_word_gives_another_colour(colour: str, strongest: int, minilab: Any, catalogue: Catalogue) -> None:
    wish = Wish(f"a {colour} square on a white background", width=128, height=128, steps=10, guidance_scale=2.0)

    image = _draw(minilab, catalogue, wish)

    assert np.argmax(image[56:72, 56:72].mean(axis=(0, 1))) == strongest


def _draw(pipeline: Any, catalogue: Catalogue, wish: Wish) -> Any:
    import torch

    arguments = call_arguments(catalogue["minilab"], wish)
    return pipeline(**arguments, generator=[torch.Generator().manual_seed(0)], output_type="np").images[0]


def _is_red(patch: Any) -> bool:
    red, green, blue = patch.mean(axis=(0, 1))
    return bool(red > 0.7 and green < 0.35 and blue < 0.35)
