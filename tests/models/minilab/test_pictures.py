"""What is held out of training stays out, and what is drawn can be told apart again."""

import random

import numpy as np
import pytest

from models.minilab.held_out import Kind, exercises
from models.minilab.marks import mark
from models.minilab.recipe.pictures import (
    SHAPES,
    UNSEEN_PAIRS,
    Landscape,
    Pair,
    Picture,
    Single,
    Thing,
    can_stand_on,
    is_unseen,
    training_picture,
)
from models.minilab.recipe.render import render


def test_training_never_shows_what_is_held_out() -> None:
    chance = random.Random(0)

    for picture in (training_picture(chance) for _ in range(3000)):
        for thing in things(picture):
            assert not isinstance(picture, Landscape)
            assert not is_unseen(thing, picture.background)
            assert can_stand_on(thing.colour, picture.background)


def test_every_exercise_but_landscapes_shows_what_is_held_out() -> None:
    asked = exercises()

    assert len(asked) >= 300
    for exercise in asked:
        if exercise.kind is not Kind.LANDSCAPE:
            assert not isinstance(exercise.picture, Landscape)
            assert is_unseen(things(exercise.picture)[0], exercise.picture.background), exercise


def test_exercises_are_the_same_every_time() -> None:
    assert exercises() == exercises()


def test_each_shape_is_held_out_in_few_colours_only() -> None:
    assert {thing.shape for thing in UNSEEN_PAIRS} <= set(SHAPES)
    assert all(sum(thing.shape == shape for thing in UNSEEN_PAIRS) <= 1 for shape in SHAPES)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_examiner_gives_a_real_rendering_full_marks(kind: Kind) -> None:
    for index, exercise in enumerate([exercise for exercise in exercises() if exercise.kind is kind][:6]):
        image = np.asarray(render(exercise.picture, random.Random(index)))

        assert mark(image, exercise.picture).all, exercise


def test_the_examiner_sees_a_wrong_shape_colour_background_and_place() -> None:
    asked = Single(Thing("star", "red"), "white")
    image = np.asarray(render(Single(Thing("circle", "blue"), "gray"), random.Random(0)))

    marks = mark(image, asked)

    assert (marks.background, marks.colour, marks.shape) == (False, False, False)
    assert (marks.size, marks.position, marks.count) == (True, True, True)
    assert not marks.all


def test_the_examiner_sees_colours_of_a_pair_swapped() -> None:
    chance = random.Random(0)
    asked = next(p for p in iter(lambda: training_picture(chance), None) if isinstance(p, Pair) and _two_colours(p))
    swapped = Pair(
        Thing(asked.first.shape, asked.second.colour),
        Thing(asked.second.shape, asked.first.colour),
        asked.relation,
        asked.background,
    )

    marks = mark(np.asarray(render(swapped, random.Random(0))), asked)

    assert marks.colour is False
    assert marks.shape is True


def test_the_examiner_sees_nothing_in_an_empty_picture() -> None:
    empty = np.full((128, 128, 3), 246, dtype=np.uint8)

    marks = mark(empty, Single(Thing("star", "red"), "white"))

    assert marks.background is True
    assert (marks.colour, marks.shape, marks.position, marks.count) == (False, False, False, False)


def things(picture: Picture) -> list[Thing]:
    if isinstance(picture, Landscape):
        return []
    return [picture.first, picture.second] if isinstance(picture, Pair) else [picture.thing]


def _two_colours(pair: Pair) -> bool:
    return pair.first.colour != pair.second.colour
