"""Large images in parts, so that memory is bounded: each is seen with what lies around it, so that no seam shows.

Pixels are arrays of height, width and three channels, 8 bits each.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Enlarge = Callable[[Pixels], Pixels]
"""Any image to one of `factor` times its width and height."""

SIDE = 192
# What the network sees around a pixel: 18 convolutions of 3x3, and two pixels of the halving for factor 2.
AROUND = 20


def parts(length: int) -> list[tuple[int, int]]:
    """A side in equal parts of `SIDE` pixels at most, from and to."""
    count = -(-length // SIDE)
    cuts = [round(number * length / count) for number in range(count + 1)]
    return list(pairwise(cuts))


def count_of(width: int, height: int) -> int:
    return len(parts(width)) * len(parts(height))


def upscaled(pixels: Pixels, factor: int, enlarge: Enlarge, part_done: Callable[[], None]) -> Pixels:
    """Calls `part_done` after each of `count_of` parts; what it raises ends the work."""
    height, width, channels = pixels.shape
    whole = np.empty((height * factor, width * factor, channels), np.uint8)
    for rows, columns in _grid(width, height):
        top, left = max(0, rows[0] - AROUND), max(0, columns[0] - AROUND)
        seen = pixels[top : rows[1] + AROUND, left : columns[1] + AROUND]
        made = enlarge(seen)
        inner_rows = slice((rows[0] - top) * factor, (rows[1] - top) * factor)
        inner_columns = slice((columns[0] - left) * factor, (columns[1] - left) * factor)
        whole[_scaled(rows, factor), _scaled(columns, factor)] = made[inner_rows, inner_columns]
        part_done()
    return whole


def _grid(width: int, height: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    return ((rows, columns) for rows in parts(height) for columns in parts(width))


def _scaled(cut: tuple[int, int], factor: int) -> slice:
    return slice(cut[0] * factor, cut[1] * factor)
