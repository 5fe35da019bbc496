"""What became of a wake-up, for whoever reads Celery's events."""

from dataclasses import dataclass
from enum import Enum, auto


class Outcome(Enum):
    DRAWN = auto()
    """The job's images are in the outbox."""
    FAILED = auto()
    PUT_BACK = auto()
    """The job is in line again, with a wake-up of its own."""
    TAKEN = auto()
    """The job was canceled, or is another worker's by now."""
    NO_JOB = auto()
    """Nobody waited for whom this wake-up would be needed."""
    NOT_NOW = auto()
    """Jobs wait, and this worker could not take one. The wake-up is for another, or for later."""


@dataclass
class TaskEnd:
    """Filled in as the job goes. `code` is the one of the error that ended the job or put it back."""

    outcome: Outcome = Outcome.DRAWN
    code: str = ""

    def is_(self, outcome: Outcome, code: str = "") -> None:
        self.outcome, self.code = outcome, code
