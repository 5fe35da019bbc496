"""Puts a running job back in line, or fails it with its last attempt: for its worker, or for one that was lost."""

from typing import Literal

from darkroom.job_store.scripts import Scripts
from darkroom.jobs import Failure

Reason = Literal["comes_again", "given_back", "unexplained", "worker_hung", "worker_lost"]
"""The script says `claim_lost` for `worker_lost` where no worker ever said that it has the job."""


def requeue(
    scripts: Scripts, job_id: str, attempt: int, reason: Reason, max_attempts: int, failure: Failure | None = None
) -> str:
    """`queued`, `failed`, or `kept` where this attempt no longer owns the job. Raises RedisUnavailable.

    With its last attempt it fails by `failure`, which is that its worker was lost unless something else is named.
    """
    last = (failure or worker_lost(max_attempts)).model_dump_json()
    return str(scripts.run("requeue", job_id, attempt, reason, max_attempts, last))


def worker_lost(attempts: int) -> Failure:
    return Failure(
        code="worker_lost",
        message=f"The job was given to {attempts} workers, and none could finish it: the last was lost while it ran. "
        "It may be what stops them: try a smaller size, or ask the operator, who finds it by `darkroom dead`.",
    )
