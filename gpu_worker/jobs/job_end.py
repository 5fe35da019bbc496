"""How a job ends that does not succeed, in whichever thread it is: given back, tried again, failed, or let go."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

import structlog

from darkroom.errors import BrokerUnavailable, GenerationFailed, JobError, JobTaken, Unavailable, WorkerStopping
from darkroom.job_store.claims import Claims
from darkroom.jobs import Job
from darkroom.messages.wakeups import Wakeups
from darkroom.outages.retry_budget import retrying
from darkroom.request import ImageRequest

log = structlog.get_logger()

# For the write that must not be lost because Redis restarts just now.
RECORD_FOR_S = 60
# Less: this worker shall stop, and what is not given back goes back by itself when the lease runs out.
GIVE_BACK_FOR_S = 3


class Outcome(Enum):
    """What became of a wake-up, for whoever reads the queue's events."""

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


@contextmanager
def job_end(job: Job, claims: Claims, wakeups: Wakeups) -> Iterator[TaskEnd]:
    """What is raised in this context ends the job, and goes no further. What is given says then how it ended."""
    end = TaskEnd()
    try:
        with _ending(job, claims, wakeups, end):
            yield end
    except Unavailable as error:
        # Nothing can be recorded now. The lease runs out and the job goes back in line.
        log.error("job.left", code=error.code, reason=error.message)
        end.is_(Outcome.PUT_BACK, error.code)


@contextmanager
def _ending(job: Job, claims: Claims, wakeups: Wakeups, end: TaskEnd) -> Iterator[None]:
    try:
        yield
    except JobTaken as taken:
        end.is_(Outcome.TAKEN, taken.code)
        log.info("job.taken", reason=taken.message)
    except WorkerStopping as stopping:
        end.is_(Outcome.PUT_BACK, stopping.code)
        _give_back(job, claims, wakeups)
    except GenerationFailed as error:
        end.is_(_try_again(job, error, error.__cause__ or error, claims, wakeups), error.code)
    except JobError as error:
        end.is_(_fail(job, error, claims), error.code)
    except Unavailable:
        raise
    except Exception as error:
        unexpected = _unexpected(error)
        end.is_(_try_again(job, unexpected, error, claims, wakeups), unexpected.code)


def _give_back(job: Job, claims: Claims, wakeups: Wakeups) -> None:
    retrying(GIVE_BACK_FOR_S)(claims.give_back, job)
    log.info("job.given_back")
    wake_for(job, wakeups)


def _unexpected(error: Exception) -> GenerationFailed:
    return GenerationFailed(
        f"The worker met an error of its own ({type(error).__name__}). The same request may fail again: ask the "
        "operator, who finds the details in the worker's log under this job's id."
    )


def _try_again(job: Job, error: GenerationFailed, cause: BaseException, claims: Claims, wakeups: Wakeups) -> Outcome:
    """Nothing explains this error, so it may be this worker's or this moment's; if it stays, the job fails by it.

    At once where it is known to come again everywhere.
    """
    end = retrying(RECORD_FOR_S)(claims.give_up if error.comes_again else claims.try_again, job, error)
    if end == "failed":
        log.error("job.failed", code=error.code, exception=without_prompts(cause, job.request))
        return Outcome.FAILED
    if end == "queued":
        log.warning("job.put_back", code=error.code, exception=without_prompts(cause, job.request))
        wake_for(job, wakeups)
        return Outcome.PUT_BACK
    log.info("job.taken", reason=f"Attempt {job.attempt} no longer owns the job.")
    return Outcome.TAKEN


def _fail(job: Job, error: JobError, claims: Claims) -> Outcome:
    log.error("job.failed", code=error.code, reason=error.message)
    try:
        retrying(RECORD_FOR_S)(claims.fail, job, error)
    except JobTaken as taken:
        log.info("job.taken", reason=taken.message)
        return Outcome.TAKEN
    return Outcome.FAILED


def without_prompts(error: BaseException, request: ImageRequest) -> str:
    """What the log may say of an exception, whose message can quote the prompt.

    The whole traceback; only its frames and types where it quotes the request.
    """
    whole = "".join(traceback.format_exception(error))
    words = [text for text in (request.prompt, request.negative_prompt) if text]
    # A message may show them as Python would write them.
    if any(text in whole or repr(text)[1:-1] in whole for text in words):
        frames = "".join(traceback.format_tb(error.__traceback__))
        return f"{frames}{type(error).__name__}: (not shown: it quotes the prompt)"
    return whole


def wake_for(job: Job, wakeups: Wakeups) -> None:
    """For a job that was put back."""
    try:
        wakeups.wake(job.request.model, job.id)
    except BrokerUnavailable as error:
        log.warning("wakeup.not_published", reason=error.message)  # the housekeeper tops it up
