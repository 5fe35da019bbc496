"""What goes on for a model now: who stands before a job, how many jobs are under way, and how fast they went lately."""

from collections.abc import Mapping
from dataclasses import dataclass

from darkroom.speeds import Speeds


@dataclass(frozen=True)
class Place:
    """A waiting job's place: `position` jobs are before it, with `work` megapixel-steps.

    `interactive_jobs` of them, with `interactive_work`, are of the class that goes before its own.
    """

    position: int
    work: float
    interactive_jobs: int = 0
    interactive_work: float = 0.0


@dataclass(frozen=True)
class Traffic:
    """`interactive` and `bulk` jobs are under way."""

    speeds: Speeds
    interactive: int = 0
    bulk: int = 0

    @classmethod
    def from_records(cls, running: Mapping[str, str], speeds: Mapping[str, str]) -> "Traffic":
        """As the scripts keep them."""
        return cls(Speeds(speeds), int(running.get("interactive", 0)), int(running.get("bulk", 0)))
