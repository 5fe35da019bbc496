"""The examiner tells the ten shapes from what they become when they are drawn badly, and soft edges from sharp ones."""

import cmath
import math
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from models.minilab.fit import DECOYS, Coverage, best_fit, rise
from models.minilab.recipe.outlines import OUTLINES, Points, regular
from models.minilab.recipe.pictures import CENTRE, SHAPES, Single, Size, Thing
from models.minilab.recipe.render import RADIUS, render
from models.minilab.recognise import recognise


@pytest.mark.parametrize("size", list(Size))
@pytest.mark.parametrize("shape", SHAPES)
def test_a_rendering_fits_its_own_outline_closely(shape: str, size: Size) -> None:
    image = np.asarray(render(Single(Thing(shape, "red"), "white", size, CENTRE), random.Random(3)))

    [piece] = recognise(image).seen

    assert (piece.shape, piece.size) == (shape, size)
    assert piece.rise < 1.2


@pytest.mark.parametrize("radius", RADIUS.values())
@pytest.mark.parametrize("name", [*OUTLINES, *DECOYS])
def test_an_outline_is_known_to_a_fraction_of_a_pixel(name: str, radius: float) -> None:
    polygons = OUTLINES.get(name) or DECOYS[name]

    fit = best_fit(covered(polygons, radius, turn=2.5))

    assert fit.outline == name
    assert fit.overlap > 0.97
    assert fit.radius == pytest.approx(radius, rel=0.02)


def test_a_circle_with_corners_is_none() -> None:
    image = drawn(regular(6))

    [piece] = recognise(np.asarray(image)).seen

    assert piece.shape is None


def test_an_outline_that_nothing_fits_has_no_name() -> None:
    image = drawn([(-1, -0.2), (1, -0.2), (1, 0.2), (-1, 0.2)])

    [piece] = recognise(np.asarray(image)).seen

    assert piece.shape is None
    assert piece.colour == "red"


def test_noise_shows_nothing_that_has_a_name() -> None:
    noise = np.random.default_rng(0)
    images = [noise.integers(0, most, (128, 128, 3), dtype=np.uint8) for most in (60, 100, 255)]

    assert [piece.shape for image in images for piece in recognise(image).seen if piece.shape] == []
    assert best_fit(np.full((9, 9), 0.4)).is_decoy


def test_a_blurred_edge_takes_longer_to_rise() -> None:
    sharp = drawn(regular(72))
    soft = sharp.filter(ImageFilter.GaussianBlur(2))

    [before], [after] = (recognise(np.asarray(image)).seen for image in (sharp, soft))

    assert before.rise < 1.5
    # From 10 to 90 % a Gaussian step takes 2.56 standard deviations.
    assert after.rise == pytest.approx(5.1, abs=0.8)
    assert rise(np.zeros((9, 9))) == 0


def covered(polygons: list[Points], radius: float, turn: float) -> Coverage:
    image = Image.new("L", (512, 512))
    draw = ImageDraw.Draw(image)
    for index, points in enumerate(polygons):
        places = [complex(x, y) * cmath.rect(4 * radius, math.radians(turn)) + complex(256, 258) for x, y in points]
        draw.polygon([(place.real, place.imag) for place in places], fill=0 if index else 255)
    return np.asarray(image.reduce(4), dtype=np.float64) / 255


def drawn(points: Points) -> Image.Image:
    image = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(image).polygon([(256 + 128 * x, 256 + 128 * y) for x, y in points], fill=(222, 32, 38))
    return image.reduce(4)
