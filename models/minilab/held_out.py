"""The prompts that minilab is examined with: shapes in colours on backgrounds that its training never shows."""

import random
from dataclasses import dataclass
from enum import StrEnum

from models.minilab.recipe.captions import describe
from models.minilab.recipe.pictures import (
    CENTRE,
    COLOURS,
    PLACES,
    UNSEEN_PAIRS,
    UNSEEN_TRIPLES,
    Pair,
    Picture,
    Relation,
    Several,
    Single,
    Size,
    Thing,
    can_stand_on,
    landscape,
)

SEED = 2026


class Kind(StrEnum):
    PLAIN = "one object"
    PLACED = "one object, with size and place"
    NEVER_TOGETHER = "a colour and shape never seen together"
    PAIR = "two objects"
    SEVERAL = "two to four of a kind"
    LANDSCAPE = "landscapes"


HOW_MANY = {
    Kind.PLAIN: 80,
    Kind.PLACED: 60,
    Kind.NEVER_TOGETHER: 40,
    Kind.PAIR: 80,
    Kind.SEVERAL: 60,
    Kind.LANDSCAPE: 40,
}


@dataclass(frozen=True)
class Exercise:
    kind: Kind
    picture: Picture
    prompt: str


def exercises() -> list[Exercise]:
    """The same every time."""
    chance = random.Random(SEED)
    pictures = [(kind, _picture(kind, chance)) for kind, count in HOW_MANY.items() for _ in range(count)]
    return [Exercise(kind, picture, describe(picture, chance)) for kind, picture in pictures]


def _picture(kind: Kind, chance: random.Random) -> Picture:
    if kind is Kind.LANDSCAPE:
        return landscape(chance)
    if kind is Kind.NEVER_TOGETHER:
        thing = chance.choice(sorted(UNSEEN_PAIRS, key=str))
        return Single(thing, chance.choice([name for name in COLOURS if can_stand_on(thing.colour, name)]))
    thing, background = chance.choice(sorted(UNSEEN_TRIPLES, key=str))
    if kind is Kind.PLAIN:
        return Single(thing, background)
    if kind is Kind.PLACED:
        size = chance.choice(list(Size))
        return Single(thing, background, size, CENTRE if size is Size.LARGE else chance.choice(PLACES))
    if kind is Kind.SEVERAL:
        return Several(thing, chance.randint(2, 4), background)
    return Pair(thing, _unseen_beside(thing, background, chance), chance.choice(list(Relation)), background)


def _unseen_beside(thing: Thing, background: str, chance: random.Random) -> Thing:
    others = [other for other, behind in UNSEEN_TRIPLES if behind == background and other != thing]
    return chance.choice(sorted(others, key=str)) if others else thing
