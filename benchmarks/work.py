"""One image to make, and lists of them with step counts mixed as a service meets them. Draws nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

# Step counts, and how often each is asked for: distilled models take 4 or 8, drafts 20, finished pictures 30 to 50.
# Five counts, and not all from 4 to 50, favour servers that can only batch equal ones.
MIX: Mapping[int, float] = {4: 0.30, 8: 0.20, 20: 0.25, 30: 0.15, 50: 0.10}
SHORTEST = min(MIX)

COLOURS = ("red", "green", "blue", "yellow", "white")
SHAPES = ("circle", "square", "star", "heart")


@dataclass(frozen=True)
class Work:
    """Size and guidance are the same for all works of a run, and stand in the assignment."""

    prompt: str
    steps: int
    seed: int


def mixed_works(count: int, seed: int) -> list[Work]:
    """Always the same for the same arguments."""
    steps = Random(seed).choices(list(MIX), weights=list(MIX.values()), k=count)
    return [Work(_prompt(index), each, seed=index) for index, each in enumerate(steps)]


def equal_works(count: int, steps: int) -> list[Work]:
    return [Work(_prompt(index), steps, seed=index) for index in range(count)]


def _prompt(index: int) -> str:
    return f"a {COLOURS[index % 5]} {SHAPES[index % 4]} on a black background"
