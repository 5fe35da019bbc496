"""The ten shapes as polygons round the origin, within a circle of radius 1; y points down."""

import math

Points = list[tuple[float, float]]

ROUND = 72


def outline(shape: str) -> list[Points]:
    """The polygon to fill, then those to cut out of it."""
    return OUTLINES[shape]


def _circle(radius: float = 1.0, x: float = 0.0, y: float = 0.0) -> Points:
    return regular(ROUND, radius, x, y)


def regular(corners: int, radius: float = 1.0, x: float = 0.0, y: float = 0.0, turn: float = 0.0) -> Points:
    angles = (2 * math.pi * (index / corners) + turn for index in range(corners))
    return [(x + radius * math.sin(angle), y - radius * math.cos(angle)) for angle in angles]


def _star() -> Points:
    tips, dents = regular(5, 1.08), regular(5, 0.45, turn=math.pi / 5)
    return [(x, y + 0.08) for pair in zip(tips, dents, strict=True) for x, y in pair]


def _heart() -> Points:
    """The usual curve: x = 16 sin³t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t, shrunk to fit."""
    points = []
    for index in range(ROUND):
        t = 2 * math.pi * index / ROUND
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((math.sin(t) ** 3, -(y + 2.5) / 15.5))
    return points


def _cross(arm: float = 0.34) -> Points:
    return [
        (-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm),
        (arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm), (-arm, -arm),
    ]  # fmt: skip


OUTLINES: dict[str, list[Points]] = {
    "circle": [_circle(0.94)],
    "square": [[(-0.84, -0.84), (0.84, -0.84), (0.84, 0.84), (-0.84, 0.84)]],
    "triangle": [[(0, -0.95), (1.02, 0.82), (-1.02, 0.82)]],
    "star": [_star()],
    "heart": [_heart()],
    "ring": [_circle(0.98), _circle(0.52)],
    "hexagon": [regular(6, 1.0, turn=math.pi / 6)],
    "diamond": [[(0, -1.05), (0.68, 0), (0, 1.05), (-0.68, 0)]],
    "crescent": [_circle(1.0, -0.08), _circle(0.82, 0.42, -0.1)],
    "cross": [_cross()],
}
