"""What a wake-up leads to: claim the model's next job, draw its images, hand them on."""

import structlog

from darkroom.errors import (
    BrokerUnavailable,
    GenerationFailed,
    JobError,
    JobTaken,
    Unavailable,
    WorkerStopping,
)
from darkroom.jobs import Job
from darkroom.patience import patiently
from gpu_worker.lane import Draw, Lane
from gpu_worker.leases import Hold
from gpu_worker.node import Node
from gpu_worker.tracebacks import without_prompts

log = structlog.get_logger()

# For the write that must not be lost because Redis restarts just now.
RECORD_FOR_S = 60
# Less: this worker shall stop, and what is not given back goes back by itself when the lease runs out.
GIVE_BACK_FOR_S = 3


def generate(model: str, node: Node) -> None:
    """Make the images of this model's next job, and of the next one, until nobody waits.

    Safe to run twice: a wake-up may come again. One that finds every lane busy may be forgotten, as each lane
    looks for the next job when it is done with one.

    Raises RedisUnavailable if no job could be claimed; the housekeeper sends another wake-up.
    """
    if model not in node.lanes:
        # Celery can give a running worker another queue (`control add_consumer`), but not another model.
        log.warning("wakeup.for_another_model", model=model)
        return
    lanes = node.lanes[model]
    while node.takes_jobs:
        with lanes.open() as lane:
            while lane is not None and _make_next(model, lane, node):
                pass
        # A wake-up that came while this lane was still held found it busy, and was forgotten.
        if not node.claims.has_waiting(model, node.name, lanes.welcome()):
            return


def _make_next(model: str, lane: Lane, node: Node) -> bool:
    """Whether there was a job."""
    if not node.takes_jobs:
        return False
    with node.lanes[model].next_job(lambda classes: node.claims.claim_next(model, node.name, classes)) as job:
        if job is None:  # canceled meanwhile, or another lane got here first
            return False
        with structlog.contextvars.bound_contextvars(job_id=job.id, attempt=job.attempt), node.leases.hold(job) as hold:
            log.info("job.started", model=model)
            try:
                _run(job, lane, hold, node)
            except Unavailable as error:
                # Nothing can be recorded now. The lease runs out and the job goes back in line.
                log.error("job.left", code=error.code, reason=error.message)
    return True


def _run(job: Job, lane: Lane, hold: Hold, node: Node) -> None:
    try:
        _make(job, lane, hold, node)
    except JobTaken as taken:
        log.info("job.taken", reason=taken.message)
    except WorkerStopping:
        _give_back(job, node)
    except GenerationFailed as error:
        _try_again(job, error, error.__cause__ or error, node)
    except JobError as error:
        _fail(job, error, node)
    except Unavailable:
        raise
    except Exception as error:
        _try_again(job, _unexpected(error), error, node)


def _make(job: Job, lane: Lane, hold: Hold, node: Node) -> None:
    images = lane.run(job.request, JobWatch(hold, node))
    node.progress.flush(hold)
    stored = node.delivery.deliver(job, images, hold)
    log.info("job.finished", images=len(stored), bytes=sum(image.bytes for image in stored))


class JobWatch:
    """Where a cancel, a lost lease, a deadline or a stop reaches a lane: at each call of a network, and each step."""

    def __init__(self, hold: Hold, node: Node) -> None:
        self.job_id = hold.job.id
        self._hold = hold
        self._node = node

    def check(self) -> None:
        """Raises JobTaken, DeadlineExceeded, WorkerStopping."""
        self._hold.check()
        if self._node.stopping.is_set():
            raise WorkerStopping("The grace period of this worker is over.")

    def step_done(self, step: int, steps: int) -> None:
        """Raises like `check`."""
        self._node.progress.note(self._hold, step, steps)
        self.check()

    def preview(self, step: int, steps: int, draw: Draw) -> None:
        self._node.progress.preview(self._hold, step, steps, draw)


def _give_back(job: Job, node: Node) -> None:
    patiently(GIVE_BACK_FOR_S)(node.claims.give_back, job)
    log.info("job.given_back")
    _wake(job, node)


def _wake(job: Job, node: Node) -> None:
    try:
        node.wakeups.wake(job.request.model, job.id)
    except BrokerUnavailable as error:
        log.warning("wakeup.not_published", reason=error.message)  # the housekeeper tops it up


def _unexpected(error: Exception) -> GenerationFailed:
    return GenerationFailed(
        f"The worker met an error of its own ({type(error).__name__}). The same request may fail again: ask the "
        "operator, who finds the details in the worker's log under this job's id."
    )


def _try_again(job: Job, error: GenerationFailed, cause: BaseException, node: Node) -> None:
    """Nothing explains this error, so it may be this worker's or this moment's; if it stays, the job fails by it."""
    end = patiently(RECORD_FOR_S)(node.claims.try_again, job, error)
    if end == "failed":
        log.error("job.failed", code=error.code, exception=without_prompts(cause, job.request))
    elif end == "queued":
        log.warning("job.put_back", code=error.code, exception=without_prompts(cause, job.request))
        _wake(job, node)
    else:
        log.info("job.taken", reason=f"Attempt {job.attempt} no longer owns the job.")


def _fail(job: Job, error: JobError, node: Node) -> None:
    log.error("job.failed", code=error.code, reason=error.message)
    try:
        patiently(RECORD_FOR_S)(node.claims.fail, job, error)
    except JobTaken as taken:
        log.info("job.taken", reason=taken.message)
