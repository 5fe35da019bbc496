"""What a wake-up leads to: claim the model's next job, draw its images, hand them to the outbox."""

from contextlib import ExitStack

import structlog

from darkroom.errors import WorkerStopping
from gpu_worker.delivery.parcel import Parcel
from gpu_worker.jobs.job_end import job_end
from gpu_worker.jobs.lanes import Lane
from gpu_worker.jobs.leases import Hold
from gpu_worker.node import Node
from gpu_worker.previews.writer import Draw

log = structlog.get_logger()


def generate(model: str, node: Node) -> None:
    """Make the images of this model's next job, and of the next one, until nobody waits.

    Safe to run twice: a wake-up may come again. One that finds every lane busy may be forgotten, as each lane
    looks for the next job when it is done with one. One that finds the outbox full waits: a thread that waits takes
    no further wake-ups from other workers.

    Raises RedisUnavailable if no job could be claimed; the housekeeper sends another wake-up.
    """
    if model not in node.lanes:
        # Celery can give a running worker another queue (`control add_consumer`), but not another model.
        log.warning("wakeup.for_another_model", model=model)
        return
    lanes = node.lanes[model]
    while _has_room(node):
        with lanes.open() as lane:
            while lane is not None and _make_next(model, lane, node):
                pass
        # A wake-up that came while this lane was still held found it busy, and was forgotten.
        if not node.claims.has_waiting(model, node.name, lanes.welcome()):
            return


def _has_room(node: Node) -> bool:
    """Waits for it. False once this worker is leaving."""
    node.outbox.backpressure.wait(lambda: node.is_leaving)
    return not node.is_leaving


def _make_next(model: str, lane: Lane, node: Node) -> bool:
    """Whether there was a job. When it is drawn, the lane is free: the outbox has it, with its lease."""
    if not node.takes_jobs:
        return False
    with node.lanes[model].next_job(lambda classes: node.claims.claim_next(model, node.name, classes)) as job:
        if job is None:  # canceled meanwhile, or another lane got here first
            return False
        with (
            structlog.contextvars.bound_contextvars(job_id=job.id, attempt=job.attempt),
            ExitStack() as lease_stack,
            job_end(job, node.claims, node.wakeups),
        ):
            hold = lease_stack.enter_context(node.leases.hold(job))
            log.info("job.started", model=model)
            images = lane.run(job.request, JobWatch(hold, node))
            node.outbox.add(Parcel(hold, images, lease_stack.pop_all()))
    return True


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
