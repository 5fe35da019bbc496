"""What became of a wake-up, for whoever reads Celery's events."""

from dataclasses import dataclass
from enum import Enum, auto


class Outcome(Enum):
    MADE = auto()
    FAILED = auto()
    PUT_BACK = auto()
    """The job is in line again, with a wake-up of its own."""
    TAKEN = auto()
    """The job was canceled, or is another worker's by now."""
    NO_JOB = auto()
    NOT_NOW = auto()
    """Jobs may wait, and this worker is busy with another."""


@dataclass
class TaskEnd:
    """Filled in as the job goes. `code` is the one of the error that ended the job or put it back."""

    outcome: Outcome = Outcome.MADE
    code: str = ""

    def is_(self, outcome: Outcome, code: str = "") -> None:
        self.outcome, self.code = outcome, code
