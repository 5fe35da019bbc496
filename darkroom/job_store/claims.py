"""The job store as workers see it: claim a job, keep its lease, and end it.

Every write carries the attempt. One that lost its job (canceled, or given to another worker after a silence)
is refused, and learns it by JobTaken.
"""

import json
import secrets
from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter

from darkroom.errors import DarkroomError, JobTaken
from darkroom.job_store import keys
from darkroom.job_store.lines import line_length
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.job_store.requeue import Reason, requeue
from darkroom.job_store.scripts import Answer, Scripts, record_of
from darkroom.jobs import IMAGES, Attempt, Failure, Job, StoredImage
from darkroom.request import Priority
from darkroom.settings import Settings

# A job's end removes its preview. This is for a job whose worker says nothing more.
PREVIEW_KEPT_S = 600


class Claims:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._redis = client
        self._scripts = Scripts(client)
        self._lease_ms = int(settings.lease_s * 1000)
        self._max_attempts = settings.max_attempts

    def claim_next(self, model: str, worker: str, classes: Sequence[Priority] = tuple(Priority)) -> Job | None:
        """The next job of this model's line, now running under a lease; None where nobody of these classes waits.

        A job that may be poison is passed over while this worker runs another such job.
        Raises RedisUnavailable.
        """
        nonce = secrets.token_hex(8)
        match self._scripts.run_in_time("claim", nonce, model, worker, self._lease_ms, self._max_attempts, *classes):
            case ["claimed", str(job_id), list(record)]:
                return Job.from_record(job_id, record_of(record))
            case _:
                return None

    def waiting(self, model: str) -> int:
        """Jobs in a model's line. Raises RedisUnavailable."""
        return line_length(self._redis, model)

    def take_surplus(self, model: str) -> bool:
        """Whether a wake-up is one too many; then it is counted as gone. Raises RedisUnavailable."""
        with redis_errors():
            surplus = keys.SURPLUS(model)
            return self._redis.get(surplus) is not None and int(self._redis.decr(surplus)) >= 0

    def progress(self, job: Job, step: int, steps: int) -> None:
        """Record that a step is done. Raises JobTaken, RedisUnavailable."""
        if self.progress_of([(job, step, steps)]):
            raise JobTaken(f"Attempt {job.attempt} no longer owns job {job.id}.")

    def progress_of(self, done: Iterable[tuple[Job, int, int]]) -> set[Attempt]:
        """Record steps of several jobs, in order, as (job, step, steps); the attempts that have lost their job.

        Raises RedisUnavailable.
        """
        steps = [argument for job, step, steps in done for argument in (job.id, job.attempt, step, steps)]
        return _attempts(self._scripts.run("progress", self._lease_ms, *steps))

    def preview(self, job: Job, step: int, steps: int, images: Sequence[str]) -> None:
        """Show watchers how the images stand, as `data:` URLs; the preview before is forgotten.

        Raises JobTaken, RedisUnavailable.
        """
        preview = json.dumps({"step": step, "steps": steps, "images": list(images)})
        if not self._scripts.run("preview", job.id, job.attempt, PREVIEW_KEPT_S, step, preview):
            raise JobTaken(f"Attempt {job.attempt} no longer owns job {job.id}.")

    def renew(self, jobs: Iterable[Job]) -> set[Attempt]:
        """Renew the leases of these jobs; the attempts that have lost theirs. Raises RedisUnavailable."""
        pairs = [argument for job in jobs for argument in job.held_as]
        return _attempts(self._scripts.run("renew", self._lease_ms, *pairs))

    def succeed(self, job: Job, images: list[StoredImage]) -> None:
        """Raises JobTaken, RedisUnavailable."""
        event = TypeAdapter(dict[str, int]).dump_json({"images": len(images)}).decode()
        self._finish(job, "succeeded", "images", IMAGES.dump_json(images).decode(), event)

    def fail(self, job: Job, error: DarkroomError) -> None:
        """Raises JobTaken, RedisUnavailable."""
        failure = _failure(error).model_dump_json()
        self._finish(job, "failed", "failure", failure, f'{{"error": {failure}}}')

    def _finish(self, job: Job, state: str, field: str, value: str, event: str) -> None:
        answer = self._scripts.run("finish", job.id, job.attempt, state, field, value, event)
        if answer != 1:
            raise JobTaken(f"Attempt {job.attempt} cannot end job {job.id} as {state}: it is {answer}.")

    def give_back(self, job: Job) -> None:
        """Put a running job back at the head of its line. Does not count as a failed attempt."""
        self._requeue(job, "given_back")

    def put_back_hung(self, job: Job) -> str:
        """Put back a job in whose forward this worker hangs, or fail it: `queued`, `failed`, `kept`."""
        return self._requeue(job, "worker_hung")

    def try_again(self, job: Job, error: DarkroomError) -> str:
        """Put back a job that met an error which nothing explains, or fail it by this error if it was the last time.

        `queued`, `failed`, or `kept` where this attempt no longer owns the job.
        """
        return self._requeue(job, "unexplained", _failure(error))

    def give_up(self, job: Job, error: DarkroomError) -> str:
        """Fail a job by an error which nothing explains and every worker will meet: `failed`, or `kept`.

        Like a job that failed with every attempt, it goes on the dead-letter list.
        """
        return requeue(self._scripts, job.id, job.attempt, "comes_again", 1, _failure(error))

    def _requeue(self, job: Job, reason: Reason, failure: Failure | None = None) -> str:
        return requeue(self._scripts, job.id, job.attempt, reason, self._max_attempts, failure)

    def is_ended_without_images(self, job_id: str) -> bool:
        """Whether the job was canceled, failed or deleted, so that no attempt's images are wanted."""
        with redis_errors():
            state = self._redis.hget(keys.JOB(job_id), "state")
        return state in {None, "canceled", "failed"}


def _failure(error: DarkroomError) -> Failure:
    return Failure(code=error.code, message=error.message)


def _attempts(answer: Answer) -> set[Attempt]:
    """From id, attempt, id, attempt."""
    flat = iter(answer if isinstance(answer, list) else [])
    return {Attempt(str(job_id), int(str(attempt))) for job_id, attempt in zip(flat, flat, strict=True)}
