"""Poison jobs: every attempt at them failed, by a lost worker or an unexplained error, or the first by one that comes

again on every worker. See, retry and drop them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, TypeAdapter

from darkroom.errors import UnknownJob
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job


class FailedAttempt(BaseModel):
    """How one attempt ended. By a fault: `worker_lost`, `worker_hung`, `unexplained`, `comes_again` (by an error that

    every worker will meet). Without one: `given_back` by a worker that stopped, or `claim_lost`, where no worker ever
    heard that it has the job.
    """

    model_config = ConfigDict(frozen=True)

    attempt: int
    worker: str
    reason: str
    at_ms: int


HISTORY = TypeAdapter(tuple[FailedAttempt, ...])


@dataclass(frozen=True)
class DeadLetter:
    job: Job
    history: tuple[FailedAttempt, ...]


class DeadLetters:
    """`requeue.lua` puts jobs on the list; deleting a job, which the retention does too, takes it off."""

    def __init__(self, client: Client, store: JobStore) -> None:
        self._redis = client
        self._store = store

    def all(self) -> list[DeadLetter]:
        """The oldest first. Raises RedisUnavailable."""
        with redis_errors():
            ids = self._redis.zrange(keys.DEAD(), 0, -1)
        return [letter for job_id in ids if (letter := self._letter(job_id))]

    def retry(self, job_id: str) -> Job:
        """Put the same request in line again as a new job of the same owner, and take the dead one off the list.

        Raises UnknownJob, QueueFull, RedisUnavailable.
        """
        letter = self._listed(job_id)
        # In this order, and under a key of its own: whatever breaks off in between, a second try makes no second job.
        admission = self._store.enqueue(
            letter.job.owner, letter.job.request, idempotency_key=f"darkroom dead retry {job_id}", fingerprint=job_id
        )
        self._take_off([job_id])
        return admission.job

    def drop(self, job_id: str) -> None:
        """The failed job itself stays until its owner deletes it, or the retention does.

        Raises UnknownJob, RedisUnavailable.
        """
        self._listed(job_id)
        self._take_off([job_id])

    def _listed(self, job_id: str) -> DeadLetter:
        with redis_errors():
            is_listed = self._redis.zscore(keys.DEAD(), job_id) is not None
        letter = self._letter(job_id) if is_listed else None
        if letter is None:
            raise UnknownJob(f"Job {job_id[:80]} is not on the dead-letter list. `darkroom dead` prints it.")
        return letter

    def _letter(self, job_id: str) -> DeadLetter | None:
        """None for a job deleted meanwhile."""
        with redis_errors():
            record = self._redis.hgetall(keys.JOB(job_id))
        if not record:
            return None
        return DeadLetter(Job.from_record(job_id, record), HISTORY.validate_json(record.get("history") or "[]"))

    def _take_off(self, ids: Iterable[str]) -> None:
        with redis_errors():
            self._redis.zrem(keys.DEAD(), *ids)
