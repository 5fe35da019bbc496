"""Draws a picture of values into pixels: 128×128, antialiased. Small chances of place, size and tint are its own."""

import math
import random

from PIL import Image, ImageDraw

from models.minilab.recipe.landscapes import draw_landscape
from models.minilab.recipe.outlines import outline
from models.minilab.recipe.pictures import (
    COLOURS,
    Landscape,
    Pair,
    Picture,
    Place,
    Relation,
    Rgb,
    Several,
    Single,
    Size,
    Thing,
)

SIDE = 128
OVERSAMPLING = 3

RADIUS = {Size.SMALL: 23.0, Size.MEDIUM: 32.0, Size.LARGE: 46.0}
# From the middle to the middle of an outer cell of the grid, so that nothing leaves the picture.
OFFSET = {Size.SMALL: 37.0, Size.MEDIUM: 30.0, Size.LARGE: 0.0}
RADIUS_IN_GROUP = 26.0
OFFSET_IN_GROUP = 31.0

FIRST_AT = {
    Relation.LEFT_OF: Place(-1, 0),
    Relation.RIGHT_OF: Place(1, 0),
    Relation.ABOVE: Place(0, -1),
    Relation.BELOW: Place(0, 1),
}
SEVERAL_AT = {
    2: (Place(-1, 0), Place(1, 0)),
    3: (Place(0, -1), Place(-1, 1), Place(1, 1)),
    4: (Place(-1, -1), Place(1, -1), Place(-1, 1), Place(1, 1)),
}


def render(picture: Picture, chance: random.Random) -> Image.Image:
    """RGB, 128×128."""
    if isinstance(picture, Landscape):
        large = Image.new("RGB", (SIDE * OVERSAMPLING, SIDE * OVERSAMPLING))
        draw_landscape(picture, large, OVERSAMPLING, chance.uniform(-4, 4))
        return large.reduce(OVERSAMPLING)
    large = Image.new("RGB", (SIDE * OVERSAMPLING, SIDE * OVERSAMPLING), tinted(COLOURS[picture.background], chance))
    for thing, x, y, radius in placed(picture):
        _fill(large, thing, (x + chance.uniform(-1, 1), y + chance.uniform(-1, 1), radius), chance)
    return large.reduce(OVERSAMPLING)


def placed(picture: Single | Pair | Several) -> list[tuple[Thing, float, float, float]]:
    """Each thing with the middle and radius it is drawn at, in pixels."""
    if isinstance(picture, Single):
        offset = OFFSET[picture.size]
        return [(picture.thing, *_middle(picture.place, offset), RADIUS[picture.size])]
    if isinstance(picture, Several):
        return [
            (picture.thing, *_middle(place, OFFSET_IN_GROUP), RADIUS_IN_GROUP) for place in SEVERAL_AT[picture.count]
        ]
    at = FIRST_AT[picture.relation]
    opposite = Place(-at.column, -at.row)
    return [
        (picture.first, *_middle(at, OFFSET_IN_GROUP), RADIUS_IN_GROUP),
        (picture.second, *_middle(opposite, OFFSET_IN_GROUP), RADIUS_IN_GROUP),
    ]


def tinted(colour: Rgb, chance: random.Random) -> Rgb:
    """A little lighter or darker, and hardly of another hue: white stays white."""
    lighter = chance.randint(-6, 6)
    red, green, blue = (min(255, max(0, value + lighter + chance.randint(-2, 2))) for value in colour)
    return red, green, blue


def _middle(place: Place, offset: float) -> tuple[float, float]:
    return SIDE / 2 + offset * place.column, SIDE / 2 + offset * place.row


def _fill(large: Image.Image, thing: Thing, at: tuple[float, float, float], chance: random.Random) -> None:
    x, y, radius = at
    radius *= chance.uniform(0.96, 1.04)
    turn = math.radians(chance.uniform(-3, 3))
    stencil = Image.new("1", large.size)
    draw = ImageDraw.Draw(stencil)
    for index, points in enumerate(outline(thing.shape)):
        draw.polygon([_turned(point, turn, x, y, radius) for point in points], fill=index == 0)
    large.paste(tinted(COLOURS[thing.colour], chance), mask=stencil)


def _turned(point: tuple[float, float], turn: float, x: float, y: float, radius: float) -> tuple[float, float]:
    cosine, sine = math.cos(turn), math.sin(turn)
    right, down = point[0] * cosine - point[1] * sine, point[0] * sine + point[1] * cosine
    return (x + radius * right) * OVERSAMPLING, (y + radius * down) * OVERSAMPLING
