"""What minilab's training pictures show, as plain values. Knows neither pixels nor words."""

import random
from dataclasses import dataclass
from enum import StrEnum

Rgb = tuple[int, int, int]

COLOURS: dict[str, Rgb] = {
    "red": (222, 32, 38),
    "orange": (250, 134, 18),
    "yellow": (250, 220, 40),
    "green": (36, 160, 62),
    "cyan": (30, 200, 205),
    "blue": (36, 76, 220),
    "purple": (132, 44, 184),
    "pink": (250, 130, 188),
    "brown": (122, 72, 36),
    "black": (18, 18, 20),
    "white": (246, 246, 246),
    "gray": (136, 138, 142),
}
SHAPES = ("circle", "square", "triangle", "star", "heart", "ring", "hexagon", "diamond", "crescent", "cross")

# Too alike for a clear picture, and for telling them apart again.
ALIKE = frozenset({frozenset({"red", "brown"}), frozenset({"orange", "brown"}), frozenset({"black", "brown"})})


class Size(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Relation(StrEnum):
    LEFT_OF = "left of"
    RIGHT_OF = "right of"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True)
class Place:
    """A cell of a 3×3 grid: column and row from -1 (left, top) to 1."""

    column: int = 0
    row: int = 0


CENTRE = Place()
PLACES = tuple(Place(column, row) for row in (-1, 0, 1) for column in (-1, 0, 1))


@dataclass(frozen=True)
class Thing:
    shape: str
    colour: str


@dataclass(frozen=True)
class Single:
    thing: Thing
    background: str
    size: Size = Size.MEDIUM
    place: Place = CENTRE


@dataclass(frozen=True)
class Pair:
    """The first thing stands in this relation to the second."""

    first: Thing
    second: Thing
    relation: Relation
    background: str


@dataclass(frozen=True)
class Several:
    """Two to four of a kind."""

    thing: Thing
    count: int
    background: str


@dataclass(frozen=True)
class Landscape:
    ground: str
    sky: str
    feature: str | None
    light: str | None


Picture = Single | Pair | Several | Landscape

GROUNDS = ("sea", "hill", "desert", "snow")
SKIES = ("day", "night", "sunset", "pink sky")
FEATURES = {
    "sea": ("boat", "island", None),
    "hill": ("tree", "house", "mountain", None),
    "desert": ("cactus", "pyramid", "mountain", None),
    "snow": ("tree", "house", "mountain", None),
}
LIGHTS = {
    "day": ("sun", "clouds", None),
    "night": ("moon", "stars", None),
    "sunset": ("sun", None),
    "pink sky": ("sun", "clouds", "moon", None),
}

# Never trained: these pairs on any background, and these triples.
UNSEEN_PAIRS = frozenset(
    {
        Thing("circle", "purple"),
        Thing("square", "pink"),
        Thing("triangle", "cyan"),
        Thing("star", "green"),
        Thing("heart", "orange"),
        Thing("ring", "red"),
        Thing("hexagon", "blue"),
        Thing("cross", "yellow"),
    }
)
UNSEEN_SHARE_OF_TRIPLES = 0.15
# Asked for by the README, the demo and the tests of the whole service: what a newcomer sees first is not held out.
SHOWN_FIRST = frozenset(
    {
        (Thing("circle", "red"), "white"),
        (Thing("square", "green"), "white"),
        (Thing("square", "blue"), "white"),
        (Thing("star", "blue"), "yellow"),
    }
)


def _unseen_triples() -> frozenset[tuple[Thing, str]]:
    chance = random.Random(1)
    triples = [
        (Thing(shape, colour), background)
        for shape in SHAPES
        for colour in COLOURS
        for background in COLOURS
        if can_stand_on(colour, background)
    ]
    unseen = {triple for triple in triples if chance.random() < UNSEEN_SHARE_OF_TRIPLES}
    return frozenset(triple for triple in unseen - SHOWN_FIRST if triple[0] not in UNSEEN_PAIRS)


def can_stand_on(colour: str, background: str) -> bool:
    return colour != background and frozenset({colour, background}) not in ALIKE


UNSEEN_TRIPLES = _unseen_triples()


def is_unseen(thing: Thing, background: str) -> bool:
    """Whether training never shows it."""
    return thing in UNSEEN_PAIRS or (thing, background) in UNSEEN_TRIPLES


def training_picture(chance: random.Random) -> Picture:
    """Two objects and rare kinds come more often than chance would have it: they are the hardest to learn."""
    kind = chance.random()
    if kind < 0.42:
        return _single(chance)
    if kind < 0.68:
        return _pair(chance)
    if kind < 0.82:
        background = chance.choice(list(COLOURS))
        return Several(_thing(chance, background), chance.randint(2, 4), background)
    return landscape(chance)


def landscape(chance: random.Random) -> Landscape:
    ground, sky = chance.choice(GROUNDS), chance.choice(SKIES)
    return Landscape(ground, sky, chance.choice(FEATURES[ground]), chance.choice(LIGHTS[sky]))


def _single(chance: random.Random) -> Single:
    background = chance.choice(list(COLOURS))
    thing = _thing(chance, background)
    if chance.random() < 0.4:
        return Single(thing, background)
    size = chance.choices(list(Size), (3, 4, 2))[0]
    # A large one fills the picture: it has no other place to be.
    place = CENTRE if size is Size.LARGE or chance.random() < 0.25 else chance.choice(PLACES)
    return Single(thing, background, size, place)


def _pair(chance: random.Random) -> Pair:
    background = chance.choice(list(COLOURS))
    first, second = _thing(chance, background), _thing(chance, background)
    return Pair(first, second, chance.choice(list(Relation)), background)


def _thing(chance: random.Random, background: str) -> Thing:
    while True:
        thing = Thing(chance.choice(SHAPES), chance.choice(list(COLOURS)))
        if can_stand_on(thing.colour, background) and not is_unseen(thing, background):
            return thing
