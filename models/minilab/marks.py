"""Compares what a picture shows with what was asked for, attribute by attribute."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from models.minilab.recipe.landscapes import draw_landscape
from models.minilab.recipe.pictures import (
    FEATURES,
    GROUNDS,
    LIGHTS,
    SKIES,
    Landscape,
    Pair,
    Picture,
    Several,
    Single,
    Thing,
)
from models.minilab.recipe.render import FIRST_AT, SIDE
from models.minilab.recognise import Pixels, Seen, Sight, recognise

# Landscapes are compared at this side, and with what stands in them shifted so far.
SMALL = 64
SHIFTS = (-4, -2, 0, 2, 4)
# Pixels from 10 to 90 % of an edge; real renderings have up to 1.
CRISP_WITHIN = 2.0


@dataclass(frozen=True)
class Marks:
    """None: the prompt says nothing of it."""

    background: bool | None = None
    colour: bool | None = None
    shape: bool | None = None
    size: bool | None = None
    position: bool | None = None
    count: bool | None = None
    edges: bool | None = None
    scene: bool | None = None

    @property
    def all(self) -> bool:
        return all(mark is not False for mark in vars(self).values())


def mark(pixels: Pixels, picture: Picture) -> Marks:
    if isinstance(picture, Landscape):
        return Marks(scene=nearest_landscape(pixels) == picture)
    sight = recognise(pixels)
    if isinstance(picture, Single):
        return _mark_single(sight, picture)
    if isinstance(picture, Pair):
        return _mark_pair(sight, picture)
    return _mark_several(sight, picture)


def share(marks: Iterable[Marks], of: Callable[[Marks], bool | None]) -> float:
    """Of those that say something. Raises ZeroDivisionError if none does."""
    said = [value for value in map(of, marks) if value is not None]
    return sum(said) / len(said)


def _mark_single(sight: Sight, picture: Single) -> Marks:
    return Marks(
        background=sight.background == picture.background,
        colour=_colours(sight.seen, [picture.thing]),
        shape=_shapes(sight.seen, [picture.thing]),
        size=bool(sight.seen) and all(seen.size == picture.size for seen in sight.seen),
        position=bool(sight.seen) and all(seen.place == picture.place for seen in sight.seen),
        count=len(sight.seen) == 1,
        edges=_crisp(sight.seen),
    )


def _mark_several(sight: Sight, picture: Several) -> Marks:
    things = [picture.thing] * picture.count
    return Marks(
        background=sight.background == picture.background,
        colour=bool(sight.seen) and all(seen.colour == picture.thing.colour for seen in sight.seen),
        shape=bool(sight.seen) and all(seen.shape == picture.thing.shape for seen in sight.seen),
        count=len(sight.seen) == len(things),
        edges=_crisp(sight.seen),
    )


def _mark_pair(sight: Sight, picture: Pair) -> Marks:
    """Each at its place: so the colour is right only where it belongs."""
    seen = _in_order(sight.seen, picture)
    things = [picture.first, picture.second]
    return Marks(
        background=sight.background == picture.background,
        colour=_colours(seen, things),
        shape=_shapes(seen, things),
        position=len(seen) == 2 and [piece.place for piece in seen] == _places(picture),
        count=len(seen) == 2,
        edges=_crisp(seen),
    )


def _places(picture: Pair) -> list[Any]:
    at = FIRST_AT[picture.relation]
    return [at, type(at)(-at.column, -at.row)]


def _in_order(seen: Sequence[Seen], picture: Pair) -> list[Seen]:
    at = FIRST_AT[picture.relation]
    return sorted(seen, key=lambda piece: -(piece.place.column * at.column + piece.place.row * at.row))


def _colours(seen: Sequence[Seen], things: Sequence[Thing]) -> bool:
    return [piece.colour for piece in seen] == [thing.colour for thing in things]


def _shapes(seen: Sequence[Seen], things: Sequence[Thing]) -> bool:
    return [piece.shape for piece in seen] == [thing.shape for thing in things]


def _crisp(seen: Sequence[Seen]) -> bool:
    return bool(seen) and all(piece.rise <= CRISP_WITHIN for piece in seen)


def nearest_landscape(pixels: Pixels) -> Landscape:
    """The one whose rendering differs least."""
    landscapes, renderings = _all_landscapes()
    small = _shrunk(Image.fromarray(pixels))
    return landscapes[int(((renderings - small) ** 2).mean(axis=1).argmin())]


@cache
def _all_landscapes() -> tuple[list[Landscape], np.ndarray[Any, Any]]:
    landscapes = [
        Landscape(ground, sky, feature, light)
        for ground in GROUNDS
        for sky in SKIES
        for feature in FEATURES[ground]
        for light in LIGHTS[sky]
    ]
    shifted = [(picture, shift) for picture in landscapes for shift in SHIFTS]
    return [picture for picture, _ in shifted], np.stack([_rendering(picture, shift) for picture, shift in shifted])


def _rendering(picture: Landscape, shift: float) -> np.ndarray[Any, Any]:
    image = Image.new("RGB", (SIDE, SIDE))
    draw_landscape(picture, image, 1, shift)
    return _shrunk(image)


def _shrunk(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.reduce(SIDE // SMALL), dtype=np.float32).ravel()
