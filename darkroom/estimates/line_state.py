"""What goes on for a model now: who stands before a job, how many jobs are under way, and how fast they went lately."""

from collections.abc import Mapping
from dataclasses import dataclass

from darkroom.estimates.speeds import Speeds


@dataclass(frozen=True)
class Place:
    """A waiting job's place: `position` jobs are before it, with `work` megapixel-steps.

    `own_position` of them, with `own_work`, are of its own class.
    """

    position: int
    work: float
    own_position: int
    own_work: float


@dataclass(frozen=True)
class LineState:
    """`interactive` and `bulk` jobs are under way; interactive jobs with `interactive_work` megapixel-steps wait."""

    speeds: Speeds
    interactive: int = 0
    bulk: int = 0
    interactive_work: float = 0.0

    @classmethod
    def from_records(
        cls, speeds: Mapping[str, str], running: Mapping[str, str], line_cost: Mapping[str, str]
    ) -> "LineState":
        """As the scripts keep them."""
        return cls(
            Speeds(speeds),
            int(running.get("interactive", 0)),
            int(running.get("bulk", 0)),
            float(line_cost.get("interactive", 0)),
        )
