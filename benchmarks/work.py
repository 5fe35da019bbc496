"""One image to make, and lists of them with step counts mixed as a service meets them. Draws nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

# Step counts, and how often each is asked for.
Mix = Mapping[int, float]
MIXES: Mapping[str, Mix] = {
    # As services meet them: distilled models take 4 or 8, drafts 20, finished pictures 30 to 50.
    # So few counts favour servers that can only batch equal ones.
    "usual": {4: 0.30, 8: 0.20, 20: 0.25, 30: 0.15, 50: 0.10},
    # Every count from 4 to 50, as where clients choose freely. 4 often enough for a percentile of its own.
    "free": {4: 0.20, **dict.fromkeys(range(5, 51), 0.80 / 46)},
}
USUAL = MIXES["usual"]
SHORTEST = 4

COLOURS = ("red", "green", "blue", "yellow", "white")
SHAPES = ("circle", "square", "star", "heart")


@dataclass(frozen=True)
class Work:
    """Size and guidance are the same for all works of a run, and stand in the assignment."""

    prompt: str
    steps: int
    seed: int


def mixed_works(count: int, seed: int, mix: Mix = USUAL) -> list[Work]:
    """Always the same for the same arguments."""
    steps = Random(seed).choices(list(mix), weights=list(mix.values()), k=count)
    return [Work(_prompt(index), each, seed=index) for index, each in enumerate(steps)]


def equal_works(count: int, steps: int) -> list[Work]:
    return [Work(_prompt(index), steps, seed=index) for index in range(count)]


def _prompt(index: int) -> str:
    return f"a {COLOURS[index % 5]} {SHAPES[index % 4]} on a black background"
