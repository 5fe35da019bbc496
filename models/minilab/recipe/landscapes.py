"""Draws minilab's simple landscapes, back to front: sky, lights, mountain, ground, what stands on it."""

from collections.abc import Callable

from PIL import Image, ImageDraw

from models.minilab.recipe.pictures import Landscape, Rgb

# Top and bottom of the sky.
SKY: dict[str, tuple[Rgb, Rgb]] = {
    "day": ((84, 168, 240), (186, 224, 250)),
    "night": ((10, 14, 48), (34, 40, 92)),
    "sunset": ((150, 60, 120), (252, 150, 50)),
    "pink sky": ((250, 130, 180), (254, 206, 220)),
}
# By day and by night.
GROUND: dict[str, tuple[Rgb, Rgb]] = {
    "sea": ((24, 104, 176), (14, 50, 104)),
    "hill": ((72, 168, 62), (28, 84, 46)),
    "desert": ((232, 190, 112), (130, 100, 70)),
    "snow": ((244, 247, 252), (150, 164, 200)),
}
HORIZON = 80


class Canvas:
    """Draws in coordinates of the small picture."""

    def __init__(self, image: Image.Image, scale: int) -> None:
        self._draw = ImageDraw.Draw(image)
        self._scale = scale

    def polygon(self, points: list[tuple[float, float]], colour: Rgb) -> None:
        self._draw.polygon([(x * self._scale, y * self._scale) for x, y in points], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        self._draw.rectangle([value * self._scale for value in (left, top, right, bottom)], fill=colour)

    def ellipse(self, x: float, y: float, width: float, height: float, colour: Rgb) -> None:
        corners = (x - width, y - height, x + width, y + height)
        self._draw.ellipse([value * self._scale for value in corners], fill=colour)


def draw_landscape(picture: Landscape, image: Image.Image, scale: int, shift: float) -> None:
    """`shift` moves what stands in it and shines on it to the right, in pixels of the small picture."""
    canvas = Canvas(image, scale)
    _sky(canvas, *SKY[picture.sky])
    if picture.light:
        LIGHTS[picture.light](canvas, picture.sky == "sunset", shift)
    if picture.feature == "mountain":
        _mountain(canvas, shift)
    _ground(canvas, picture)
    if picture.feature in FEATURES:
        FEATURES[picture.feature](canvas, shift)


def _sky(canvas: Canvas, top: Rgb, bottom: Rgb) -> None:
    bands = 40
    for band in range(bands):
        share = band / (bands - 1)
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True))
        canvas.box(0, 128 * band / bands, 128, 128 * (band + 1) / bands, (red, green, blue))


def _ground(canvas: Canvas, picture: Landscape) -> None:
    colour = GROUND[picture.ground][picture.sky == "night"]
    if picture.ground == "sea":
        canvas.box(0, HORIZON, 128, 128, colour)
    else:
        canvas.ellipse(64, HORIZON + 80, 150, 84, colour)


def _sun(canvas: Canvas, low: bool, shift: float) -> None:
    canvas.ellipse(102 + shift, 66 if low else 26, 15, 15, (255, 214, 60))


def _moon(canvas: Canvas, _low: bool, shift: float) -> None:
    canvas.ellipse(98 + shift, 28, 14, 14, (246, 242, 214))


def _stars(canvas: Canvas, _low: bool, shift: float) -> None:
    for x, y in ((16, 20), (38, 44), (56, 14), (76, 38), (98, 18), (114, 50)):
        canvas.ellipse(x + shift, y, 2.8, 2.8, (250, 246, 210))


def _clouds(canvas: Canvas, _low: bool, shift: float) -> None:
    for x, y in ((34, 26), (92, 40)):
        for dx, dy, width, height in ((-12, 3, 10, 7), (0, -2, 13, 10), (13, 3, 10, 7)):
            canvas.ellipse(x + shift + dx, y + dy, width, height, (252, 252, 254))


def _mountain(canvas: Canvas, shift: float) -> None:
    canvas.polygon([(14 + shift, 100), (62 + shift, 24), (110 + shift, 100)], (112, 104, 112))
    canvas.polygon([(46.8 + shift, 48), (62 + shift, 24), (77.2 + shift, 48)], (248, 250, 252))


def _boat(canvas: Canvas, shift: float) -> None:
    canvas.polygon([(62 + shift, 44), (62 + shift, 82), (34 + shift, 82)], (250, 248, 240))
    canvas.polygon([(66 + shift, 44), (66 + shift, 82), (90 + shift, 82)], (226, 60, 52))
    canvas.polygon([(30 + shift, 86), (98 + shift, 86), (86 + shift, 102), (42 + shift, 102)], (120, 70, 36))


def _island(canvas: Canvas, shift: float) -> None:
    canvas.ellipse(64 + shift, 92, 38, 11, (236, 200, 120))
    canvas.polygon([(61 + shift, 92), (67 + shift, 92), (70 + shift, 56), (66 + shift, 56)], (120, 74, 40))
    for dx, dy in ((-14, -2), (14, -2), (0, -8)):
        canvas.ellipse(68 + shift + dx, 56 + dy, 14, 7, (34, 140, 58))


def _tree(canvas: Canvas, shift: float) -> None:
    canvas.box(58 + shift, 74, 70 + shift, 104, (110, 68, 36))
    canvas.ellipse(64 + shift, 56, 27, 26, (24, 120, 50))


def _house(canvas: Canvas, shift: float) -> None:
    canvas.box(40 + shift, 66, 88 + shift, 104, (240, 224, 190))
    canvas.polygon([(32 + shift, 68), (64 + shift, 38), (96 + shift, 68)], (196, 52, 42))
    canvas.box(58 + shift, 82, 70 + shift, 104, (110, 66, 36))


def _cactus(canvas: Canvas, shift: float) -> None:
    green = (38, 130, 62)
    canvas.box(57 + shift, 46, 71 + shift, 106, green)
    for side in (-1, 1):
        x = 64 + shift + side * 18
        canvas.box(min(x, 64 + shift), 70, max(x, 64 + shift), 79, green)
        canvas.box(x - 5, 56, x + 5, 79, green)


def _pyramid(canvas: Canvas, shift: float) -> None:
    canvas.polygon([(22 + shift, 102), (64 + shift, 44), (106 + shift, 102)], (206, 148, 66))
    canvas.polygon([(64 + shift, 44), (106 + shift, 102), (78 + shift, 102)], (160, 108, 44))


LIGHTS: dict[str, Callable[[Canvas, bool, float], None]] = {
    "sun": _sun,
    "moon": _moon,
    "stars": _stars,
    "clouds": _clouds,
}
FEATURES: dict[str, Callable[[Canvas, float], None]] = {
    "boat": _boat,
    "island": _island,
    "tree": _tree,
    "house": _house,
    "cactus": _cactus,
    "pyramid": _pyramid,
}
