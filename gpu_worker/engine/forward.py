"""What the networks are busy with, for whoever looks whether they still move. Light: it knows no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Forward:
    """`jobs` are the ids of those whose calls it may hang in."""

    number: int
    jobs: frozenset[str]
