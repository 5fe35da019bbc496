"""Says what a picture shows, from its pixels alone: the examiner of minilab, which never reads the prompt.

Plain geometry rather than a trained classifier, so that it cannot share a denoiser's mistakes: the nearest colour of
the palette, connected pieces, and the outline that overlaps a piece best.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from models.minilab.fit import best_fit, box, rise
from models.minilab.recipe.pictures import COLOURS, Place, Size, Thing
from models.minilab.recipe.render import RADIUS, SIDE

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

# Distances in RGB, 0 to 255 each. The nearest two colours of the palette lie 89 apart.
SAME_COLOUR_WITHIN = 55.0
DRAWN_BEYOND = 40.0
LEAST_PIXELS = 60
# Of areas, with the best outline where it fits best: 99 in 100 pieces of real renderings have over 0.97.
LEAST_OVERLAP = 0.90
# Pixels: room left about a piece, and how far beyond it its edge may reach.
ROOM, EDGE = 4, 2
# Pixels from the middle to where the next cell of the 3×3 grid begins.
CELL_FROM = 17.0


@dataclass(frozen=True)
class Seen:
    """One piece. `shape` or `colour` is None where nothing known fits; `rise` is how soft its edge is, in pixels."""

    shape: str | None
    colour: str | None
    place: Place
    size: Size
    rise: float

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
    return Sight(nearest_colour(background), tuple(_seen(pixels, piece, background) for piece in pieces(drawn)))


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
    return sorted((piece for piece in found if piece.sum() >= LEAST_PIXELS), key=lambda piece: box(piece)[0])


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


def _seen(pixels: Pixels, piece: Mask, background: np.ndarray[Any, Any]) -> Seen:
    left, top, right, bottom = box(piece)
    # The middle of the tints: edges are mixed with the background.
    tint = np.median(pixels[_inner(piece)].astype(np.float64), axis=0)
    coverage = _coverage(pixels, piece, background, tint)
    fit = best_fit(coverage)
    shape = None if fit.is_decoy or fit.overlap < LEAST_OVERLAP else fit.outline
    place = Place(_cell((left + right) / 2), _cell((top + bottom) / 2))
    size = min(RADIUS, key=lambda size: abs(math.log(fit.radius / RADIUS[size])))
    return Seen(shape, nearest_colour(tint), place, size, rise(coverage))


def _coverage(
    pixels: Pixels, piece: Mask, background: np.ndarray[Any, Any], tint: np.ndarray[Any, Any]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How far each pixel in the piece's neighbourhood is on the way from the background's colour to the piece's."""
    left, top, right, bottom = box(piece)
    part = np.s_[max(0, top - ROOM) : bottom + ROOM, max(0, left - ROOM) : right + ROOM]
    way = tint - background
    along = (pixels[part].astype(np.float64) - background) @ way / max(1.0, float(way @ way))
    near = np.asarray(Image.fromarray(piece[part]).convert("L").filter(ImageFilter.MaxFilter(2 * EDGE + 1))) > 0
    return np.pad(np.where(near, along.clip(0, 1), 0.0), ROOM)


def _inner(piece: Mask) -> Mask:
    inner = piece.copy()
    inner[1:-1, 1:-1] &= piece[:-2, 1:-1] & piece[2:, 1:-1] & piece[1:-1, :-2] & piece[1:-1, 2:]
    return inner if inner.any() else piece


def _cell(at: float) -> int:
    offset = at - SIDE / 2
    return 0 if abs(offset) < CELL_FROM else 1 if offset > 0 else -1
