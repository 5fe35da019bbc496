"""Says what a picture shows, from its pixels alone: the examiner of minilab, which never reads the prompt.

Plain geometry rather than a trained classifier, so that it cannot share a denoiser's mistakes: the nearest colour of
the palette, connected pieces, and the outline that overlaps a piece best.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from models.minilab.recipe.outlines import OUTLINES
from models.minilab.recipe.pictures import COLOURS, Place, Size, Thing
from models.minilab.recipe.render import RADIUS, SIDE

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

# Distances in RGB, 0 to 255 each. The nearest two colours of the palette lie 89 apart.
SAME_COLOUR_WITHIN = 55.0
DRAWN_BEYOND = 40.0
LEAST_PIXELS = 60
LEAST_OVERLAP = 0.75
# Pixels from the middle to where the next cell of the 3×3 grid begins.
CELL_FROM = 17.0


@dataclass(frozen=True)
class Seen:
    """One piece. `shape` or `colour` is None where nothing known fits."""

    shape: str | None
    colour: str | None
    place: Place
    size: Size

    def is_a(self, thing: Thing) -> bool:
        return self.shape == thing.shape and self.colour == thing.colour


@dataclass(frozen=True)
class Sight:
    background: str | None
    seen: tuple[Seen, ...]


def recognise(pixels: Pixels) -> Sight:
    """`(128, 128, 3)`."""
    background = _background(pixels)
    drawn = _distance(pixels, background) > DRAWN_BEYOND
    return Sight(nearest_colour(background), tuple(_seen(pixels, piece) for piece in pieces(drawn)))


def nearest_colour(rgb: np.ndarray[Any, Any]) -> str | None:
    distances = {name: math.dist(rgb, colour) for name, colour in COLOURS.items()}
    name = min(distances, key=distances.__getitem__)
    return name if distances[name] < SAME_COLOUR_WITHIN else None


def pieces(mask: Mask) -> list[Mask]:
    """The connected pieces (with their eight neighbours) of a fair size, from left to right."""
    labels = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        spread = np.where(mask, _largest_beside(labels), 0)
        if (spread == labels).all():
            break
        labels = spread
    found = [labels == label for label in np.unique(labels[labels > 0])]
    return sorted((piece for piece in found if piece.sum() >= LEAST_PIXELS), key=lambda piece: _box(piece)[0])


def _largest_beside(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Spreads along whole rows and columns at once, so that a few rounds do."""
    for axis in (0, 1):
        padded = np.pad(labels, 1)
        centre = slice(1, -1)
        shifted = [
            padded[1 + down : padded.shape[0] - 1 + down, 1 + right : padded.shape[1] - 1 + right]
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        ]
        labels = np.where(padded[centre, centre] > 0, np.maximum.reduce(shifted), 0)
        labels = _run_maximum(labels, axis)
    return labels


def _run_maximum(labels: np.ndarray[Any, Any], axis: int) -> np.ndarray[Any, Any]:
    """Each unbroken run of a row (or column) takes its largest label, from both ends."""
    for forward in (True, False):
        lines = np.moveaxis(labels, axis, 0)
        lines = lines if forward else lines[::-1]
        running = lines[0].copy()
        done = [running]
        for line in lines[1:]:
            running = np.where(line > 0, np.maximum(line, running), 0)
            done.append(running)
        lines = np.stack(done if forward else done[::-1])
        labels = np.moveaxis(lines, 0, axis)
    return labels


def _background(pixels: Pixels) -> np.ndarray[Any, Any]:
    edges = (pixels[:3], pixels[-3:], pixels[:, :3], pixels[:, -3:])
    edge = np.concatenate([part.reshape(-1, 3) for part in edges])
    return np.asarray(np.median(edge.astype(np.float64), axis=0))


def _distance(pixels: Pixels, colour: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(np.linalg.norm(pixels.astype(np.float64) - colour, axis=-1))


def _seen(pixels: Pixels, piece: Mask) -> Seen:
    left, top, right, bottom = _box(piece)
    middle = ((left + right) / 2, (top + bottom) / 2)
    shape, radius = _best_outline(piece, middle)
    # The middle of the tints: edges are mixed with the background.
    colour = nearest_colour(np.median(pixels[_inner(piece)].astype(np.float64), axis=0))
    place = Place(_cell(middle[0]), _cell(middle[1]))
    size = min(RADIUS, key=lambda size: abs(math.log(radius / RADIUS[size])))
    return Seen(shape, colour, place, size)


def _inner(piece: Mask) -> Mask:
    inner = piece.copy()
    inner[1:-1, 1:-1] &= piece[:-2, 1:-1] & piece[2:, 1:-1] & piece[1:-1, :-2] & piece[1:-1, 2:]
    return inner if inner.any() else piece


def _cell(at: float) -> int:
    offset = at - SIDE / 2
    return 0 if abs(offset) < CELL_FROM else 1 if offset > 0 else -1


def _box(piece: Mask) -> tuple[int, int, int, int]:
    """Left, top, right, bottom; the last two lie beyond."""
    columns, rows = np.flatnonzero(piece.any(axis=0)), np.flatnonzero(piece.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _best_outline(piece: Mask, middle: tuple[float, float]) -> tuple[str | None, float]:
    """The shape and the radius it is drawn with."""
    left, top, right, bottom = _box(piece)
    best: tuple[float, str, float] = (0.0, "", math.hypot(right - left, bottom - top) / 2)
    for shape in OUTLINES:
        for turn in (-4, 0, 4):
            width, height = _extent(shape, turn)
            radius = math.sqrt((right - left) * (bottom - top) / (width * height))
            overlap = _overlap(piece, _drawn(shape, turn, radius, middle))
            best = max(best, (overlap, shape, radius))
    return (best[1] if best[0] >= LEAST_OVERLAP else None), best[2]


def _overlap(one: Mask, other: Mask) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


@cache
def _turned(shape: str, turn: int) -> list[list[tuple[float, float]]]:
    """About the middle of its box."""
    angle = math.radians(turn)
    polygons = [
        [(x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)) for x, y in points]
        for points in OUTLINES[shape]
    ]
    columns, rows = zip(*polygons[0], strict=True)
    if shape == "crescent":  # its box is smaller than that of the disc it is cut from
        return _about_box_of_crescent(polygons)
    x, y = (min(columns) + max(columns)) / 2, (min(rows) + max(rows)) / 2
    return [[(a - x, b - y) for a, b in points] for points in polygons]


def _about_box_of_crescent(polygons: list[list[tuple[float, float]]]) -> list[list[tuple[float, float]]]:
    left, top, right, bottom = (value / 64 - 2 for value in _box(_mask(polygons, 64.0, (128.0, 128.0), 256)))
    x, y = (left + right) / 2, (top + bottom) / 2
    return [[(a - x, b - y) for a, b in points] for points in polygons]


@cache
def _extent(shape: str, turn: int) -> tuple[float, float]:
    left, top, right, bottom = _box(_mask(_turned(shape, turn), 64.0, (128.0, 128.0), 256))
    return (right - left) / 64, (bottom - top) / 64


def _drawn(shape: str, turn: int, radius: float, middle: tuple[float, float]) -> Mask:
    return _mask(_turned(shape, turn), radius, middle, SIDE)


def _mask(polygons: list[list[tuple[float, float]]], radius: float, middle: tuple[float, float], side: int) -> Mask:
    image = Image.new("1", (side, side))
    draw = ImageDraw.Draw(image)
    for index, points in enumerate(polygons):
        # Pillow counts from the middle of pixels.
        placed = [(middle[0] - 0.5 + radius * x, middle[1] - 0.5 + radius * y) for x, y in points]
        draw.polygon(placed, fill=index == 0)
    return np.asarray(image)
