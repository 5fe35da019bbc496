"""What a worker that hangs, or leaves at once, still does for its jobs: puts all of them back, blaming some."""

from collections.abc import Collection

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.jobs import Job
from gpu_worker.jobs.wake import wake_for
from gpu_worker.node import Node

log = structlog.get_logger()


def give_back(node: Node, blamed: Collection[str] = ()) -> None:
    """For a blamed job it counts as a lost worker. Where Redis is away, the leases run out by themselves."""
    for job in node.leases.jobs():
        try:
            _put_back(job, node, is_blamed=job.id in blamed)
        except RedisUnavailable as error:
            # Each further try would take seconds, and bring nothing that the housekeeper does not.
            log.error("job.left", code=error.code, reason=error.message)
            return


def _put_back(job: Job, node: Node, *, is_blamed: bool) -> None:
    if is_blamed:
        node.claims.put_back_hung(job)
    else:
        node.claims.give_back(job)
    log.info("job.given_back", job_id=job.id, attempt=job.attempt, is_blamed=is_blamed)
    wake_for(job, node.wakeups)
