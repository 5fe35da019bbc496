"""What a wake-up leads to: claim the model's next job, draw its images, hand them to the outbox."""

import time
from contextlib import ExitStack

import structlog

from darkroom.errors import RedisUnavailable, WorkerStopping
from gpu_worker.delivery.upload import Parcel
from gpu_worker.jobs.job_end import Outcome, TaskEnd, job_end
from gpu_worker.jobs.lanes import Lanes
from gpu_worker.jobs.leases import Hold
from gpu_worker.node import Node
from gpu_worker.previews.writer import Draw

log = structlog.get_logger()

# A wake-up that waits for a lane is handed on after this, so that no message is held much longer than a job takes;
PATIENCE_S = 60.0
# and after this where its thread may be needed for another model.
SHARED_PATIENCE_S = 1.0
# Who waits is told of what changes, and looks for himself this often.
LOOK_S = 1.0


def generate(model: str, node: Node, patience_s: float | None = None) -> TaskEnd:
    """Make the images of this model's next job, of one at most. When it ends, the outbox has them, with their lease.

    Safe to run twice: a wake-up may come again. One that finds jobs which this worker cannot take now (bulk ones, and
    only the lane kept for interactive ones is free; a full outbox; Redis away) waits, and takes the first that it can.
    """
    if model not in node.lanes:
        # Celery can give a running worker another queue (`control add_consumer`), but not another model.
        log.warning("wakeup.for_another_model", model=model)
        return TaskEnd(Outcome.NO_JOB)
    if patience_s is None:
        patience_s = PATIENCE_S if len(node.lanes) == 1 else SHARED_PATIENCE_S
    until_s = time.monotonic() + patience_s
    while not node.is_leaving:
        changes = node.lanes[model].changes
        if end := _end_of_next(model, node):
            return end
        if time.monotonic() >= until_s:
            break
        node.lanes[model].wait_for_change(changes, LOOK_S)
    return TaskEnd(Outcome.NOT_NOW)


def _end_of_next(model: str, node: Node) -> TaskEnd | None:
    """None: jobs may wait, and none of them could be taken."""
    if not node.takes_jobs:
        return None
    try:
        if node.claims.take_surplus(model):
            return TaskEnd(Outcome.NO_JOB)
        if end := _make_next(model, node.lanes[model], node):
            return end
        return None if node.claims.waiting(model) else TaskEnd(Outcome.NO_JOB)
    except RedisUnavailable:
        return None  # others say so: leases, progress, Celery


def _make_next(model: str, lanes: Lanes, node: Node) -> TaskEnd | None:
    with lanes.next_job(lambda classes: node.claims.claim_next(model, node.name, classes)) as taken:
        if taken is None:
            return None
        lane, job = taken
        with (
            structlog.contextvars.bound_contextvars(job_id=job.id, attempt=job.attempt),
            ExitStack() as lease_stack,
            job_end(job, node.claims, node.wakeups) as end,
        ):
            hold = lease_stack.enter_context(node.leases.hold(job))
            log.info("job.started", model=model)
            images = lane.run(job.request, JobWatch(hold, node))
            node.outbox.add(Parcel(hold, images, lease_stack.pop_all()))
        return end


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
