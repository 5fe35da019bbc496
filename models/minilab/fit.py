"""Which outline a piece of a picture has, to fractions of a pixel, and how sharp its edge is.

Beside the ten shapes that minilab draws stand decoys: what a shape becomes when it is drawn badly. A piece that is
more like a decoy is not the shape.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from models.minilab.recipe.outlines import OUTLINES, Points, regular

Coverage = np.ndarray[Any, np.dtype[np.float64]]

OVERSAMPLING = 4
# As many of the outlines that look most like it at first are tried at every place, size and turn.
TRIED = 5
# Pixels, pixels, share of the radius, degrees; halved as often as `ROUNDS` says.
FIRST_STEPS = (1.0, 1.0, 0.04, 3.0)
ROUNDS = 4
MOST_TURN = 8.0


@dataclass(frozen=True)
class Fit:
    """`overlap` is of areas, intersection over union."""

    outline: str
    overlap: float
    radius: float

    @property
    def is_decoy(self) -> bool:
        return self.outline not in OUTLINES


def best_fit(coverage: Coverage) -> Fit:
    """`coverage` `(height, width)`: the share of each pixel that belongs to the piece, with empty room about it.

    Noise may have no pixel that is more than half covered: that fits nothing.
    """
    if not (coverage > 0.5).any():
        return Fit("nothing", 0.0, 1.0)
    first = [(_overlap(coverage, name, start), name, start) for name, start in _starts(coverage)]
    first.sort(reverse=True)
    fits = [_refined(coverage, name, start) for _, name, start in first[:TRIED]]
    return max(fits, key=lambda fit: fit.overlap)


def rise(coverage: Coverage) -> float:
    """The 10 to 90 % rise distance of its edge, in pixels, on average: about 1 where it is antialiased and no more."""
    between = ((coverage > 0.1) & (coverage < 0.9)).sum()
    down, right = np.gradient(coverage)
    # What all gradients add up to is the edge's length, however soft it is.
    return float(between / max(1.0, np.hypot(down, right).sum()))


def _blunted(points: Points, share: float) -> Points:
    """Each corner becomes a curve (a quadratic Bézier's ends and middle) that begins so far along its sides."""
    curves = []
    for index, (x, y) in enumerate(points):
        (x1, y1), (x2, y2) = points[index - 1], points[(index + 1) % len(points)]
        first, last = (x + share * (x1 - x), y + share * (y1 - y)), (x + share * (x2 - x), y + share * (y2 - y))
        middle = ((first[0] + 2 * x + last[0]) / 4, (first[1] + 2 * y + last[1]) / 4)
        curves += [first, middle, last]
    return curves


def _hollow_hexagon() -> Points:
    tips, dents = regular(6, turn=math.pi / 6), regular(6, 0.76, turn=math.pi / 3)
    return [point for pair in zip(tips, dents, strict=True) for point in pair]


CORNERED = ("square", "triangle", "star", "diamond", "cross")
DECOYS: dict[str, list[Points]] = {
    "pentagon": [regular(5)],
    "hexagon on its tip": [regular(6)],
    "octagon": [regular(8, turn=math.pi / 8)],
    "hollow hexagon": [_hollow_hexagon()],
} | {f"blunt {name}": [_blunted(OUTLINES[name][0], 0.3)] for name in CORNERED}

_Place = tuple[float, float, float, float]


def _starts(coverage: Coverage) -> list[tuple[str, _Place]]:
    """Each outline where its box is the piece's: x, y, radius, turn in degrees."""
    left, top, right, bottom = box(coverage > 0.5)
    starts = []
    for name in (*OUTLINES, *DECOYS):
        one, two, three, four = _extent(name)
        radius = math.sqrt((right - left) * (bottom - top) / ((three - one) * (four - two)))
        x = (left + right) / 2 - radius * (one + three) / 2
        y = (top + bottom) / 2 - radius * (two + four) / 2
        starts.append((name, (x, y, radius, 0.0)))
    return starts


def _refined(coverage: Coverage, name: str, start: _Place) -> Fit:
    """Goes uphill along each of the four in turn, with ever smaller steps."""
    place, best = start, _overlap(coverage, name, start)
    for halvings in range(ROUNDS):
        for axis, step in enumerate(FIRST_STEPS):
            size = step * (place[2] if axis == 2 else 1) / 2**halvings
            for change in (size, -size):
                moved = (*place[:axis], place[axis] + change, *place[axis + 1 :])
                overlap = _overlap(coverage, name, moved) if abs(moved[3]) <= MOST_TURN else 0.0
                if overlap > best:
                    place, best = moved, overlap
    return Fit(name, best, place[2])


def _overlap(coverage: Coverage, name: str, place: _Place) -> float:
    drawn = _drawn(name, place, coverage.shape)
    return float(np.minimum(coverage, drawn).sum() / np.maximum(coverage, drawn).sum())


def _drawn(name: str, place: _Place, shape: tuple[int, ...]) -> Coverage:
    x, y, radius, turn = place
    cosine, sine = radius * math.cos(math.radians(turn)), radius * math.sin(math.radians(turn))
    image = Image.new("L", (shape[1] * OVERSAMPLING, shape[0] * OVERSAMPLING))
    draw = ImageDraw.Draw(image)
    for index, points in enumerate(_polygons(name)):
        # Pillow counts from the middle of pixels.
        placed = [
            ((x + a * cosine - b * sine) * OVERSAMPLING - 0.5, (y + a * sine + b * cosine) * OVERSAMPLING - 0.5)
            for a, b in points
        ]
        draw.polygon(placed, fill=0 if index else 255)
    return np.asarray(image.reduce(OVERSAMPLING), dtype=np.float64) / 255


def _polygons(name: str) -> list[Points]:
    return OUTLINES.get(name) or DECOYS[name]


@cache
def _extent(name: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom, for a radius of 1."""
    left, top, right, bottom = box(_drawn(name, (64.0, 64.0, 48.0, 0.0), (128, 128)) > 0.5)
    return (left - 64) / 48, (top - 64) / 48, (right - 64) / 48, (bottom - 64) / 48


def box(mask: np.ndarray[Any, Any]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom; the last two lie beyond. Raises IndexError for an empty one."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
