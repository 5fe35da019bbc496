"""The job store as clients and the API see it: put jobs in, read, list, cancel and remove them."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.errors import IdempotencyConflict, InputGone, JobIsFinal, QueueFull, UnknownJob
from darkroom.estimates.eta import crew_of, drain_s
from darkroom.estimates.line_state import LineState, Place
from darkroom.job_store import keys
from darkroom.job_store.presence import present
from darkroom.job_store.redis_client import Client, redis_errors, store_full
from darkroom.job_store.scripts import Scripts, record_of
from darkroom.jobs import Job, JobState, new_job_id
from darkroom.request import ImageRequest, Priority
from darkroom.settings import Settings

IDEMPOTENCY_TTL_S = 86_400
# The client is told to come back after the time that a tenth of a full line takes, within these bounds.
RETRY_AFTER_S = (1, 600)
UNKNOWN_RETRY_AFTER_S = 30


@dataclass(frozen=True)
class Admission:
    job: Job
    is_repeat: bool
    """The same Idempotency-Key was used before: this is the job it made then."""


class JobStore:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._redis = client
        self._scripts = Scripts(client)
        self._settings = settings

    def enqueue(
        self,
        owner: str,
        request: ImageRequest,
        *,
        idempotency_key: str = "",
        fingerprint: str = "",
        job_id: str | None = None,
    ) -> Admission:
        """Write a job's record and put it in its model's waiting line, in one step.

        `job_id` is for a caller that may have to withdraw a job of which no answer came.

        Raises QueueFull, IdempotencyConflict, InputGone, JobStoreFull, RedisUnavailable.
        """
        settings = self._settings
        answer = self._scripts.run_in_time(
            "enqueue", job_id or new_job_id(), owner, request.model, request.priority, request.cost,
            settings.key_weights.get(owner, 1.0),
            request.model_dump_json(), settings.max_waiting_per_model, settings.max_waiting_per_key,
            _digest(idempotency_key), fingerprint, IDEMPOTENCY_TTL_S, int(1000 * (request.deadline_s or 0)),
            " ".join(request.inputs),
        )  # fmt: skip
        match answer:
            case ["queued", str(job_id), list(record)]:
                return Admission(Job.from_record(job_id, record_of(record)), is_repeat=False)
            case ["repeated", str(job_id), list(record)]:
                return Admission(Job.from_record(job_id, record_of(record)), is_repeat=True)
            case ["conflict", str(job_id)]:
                raise IdempotencyConflict(
                    f"This Idempotency-Key made job {job_id} from another body. Use a new key for a new request."
                )
            case ["input_gone", str(input_id)]:
                raise InputGone(f"The upload {input_id} is gone. Send its picture again with `POST /uploads`.")
            case ["store_full"]:
                raise store_full()
            case ["line_full"]:
                raise self._full(request.model, f"{settings.max_waiting_per_model} jobs wait for {request.model}")
            case _:
                raise self._full(request.model, f"{settings.max_waiting_per_key} of your jobs wait for {request.model}")

    def get(self, job_id: str) -> Job:
        """Raises UnknownJob, RedisUnavailable."""
        with redis_errors():
            record = self._redis.hgetall(keys.JOB(job_id))
        if not record:
            raise UnknownJob(
                f"There is no job {job_id[:80]}. It may have been deleted, or kept longer than the retention."
            )
        return Job.from_record(job_id, record)

    def newest(self, owner: str, *, limit: int, before: str | None = None) -> list[Job]:
        """An owner's jobs, newest first; `before` is the id of the last one already seen. Raises RedisUnavailable."""
        found: list[Job] = []
        # A job deleted between the two reads has no record left; others take its place, or a page would seem the last.
        while wanted := limit - len(found):
            ids, jobs = self._page(owner, wanted, before)
            found += jobs
            if len(ids) < wanted:
                break
            before = ids[-1]
        return found

    def _page(self, owner: str, limit: int, before: str | None) -> tuple[list[str], list[Job]]:
        with redis_errors():
            ids = self._redis.zrevrangebylex(keys.JOBS(owner), f"({before}" if before else "+", "-", start=0, num=limit)
            pipe = self._redis.pipeline(transaction=False)
            for job_id in ids:
                pipe.hgetall(keys.JOB(job_id))
            records = pipe.execute()
        return ids, [Job.from_record(job_id, record) for job_id, record in zip(ids, records, strict=True) if record]

    def place(self, job_id: str) -> Place | None:
        """None unless the job waits. Raises RedisUnavailable."""
        match self._scripts.run("place", job_id):
            case [int(position), str(work), int(own_position), str(own_work)]:
                return Place(position, float(work), own_position, float(own_work))
            case _:
                return None

    def line_state(self, model: str) -> LineState:
        """Raises RedisUnavailable."""
        with redis_errors():
            pipe = self._redis.pipeline(transaction=False)
            for key in (keys.SPEEDS, keys.RUNNING, keys.LINE_COST):
                pipe.hgetall(key(model))
            speeds, running, line_cost = pipe.execute()
        return LineState.from_records(speeds, running, line_cost)

    def cancel(self, job_id: str) -> JobState:
        """Cancel a job that waits or runs; cancelling a canceled one is harmless. Returns the state it was in.

        Raises UnknownJob, JobIsFinal, RedisUnavailable.
        """
        before = self._scripts.run("cancel", job_id)
        if before is None:
            raise UnknownJob(f"There is no job {job_id[:80]}.")
        state = JobState(str(before))
        if state in {JobState.SUCCEEDED, JobState.FAILED}:
            raise JobIsFinal(f"Job {job_id} has {state} already; it cannot be canceled any more. DELETE removes it.")
        return state

    def delete(self, job_id: str) -> bool:
        """Remove every trace of a job in the store; its images must be gone by then. False if it is not final."""
        return self._scripts.run("delete", job_id) == 1

    def delete_all(self, job_ids: Sequence[str]) -> int:
        """Like `delete`, in one script, so not too many at a time. How many are gone: not those that wait or run."""
        return int(str(self._scripts.run("delete", *job_ids)))

    def withdraw(self, job_id: str, *, was_refused: bool = False) -> bool:
        """Undo an enqueue whose wake-up could not be published: the client is told that there is no job.

        False where the job stays: a worker has had it, woken for another one, or another client was told of it, as it
        sent the same Idempotency-Key meanwhile. Its wake-up will be replaced. Where the client was told already, one
        that a worker has had is canceled.
        """
        return self._scripts.run("withdraw", job_id, *(["refused"] if was_refused else [])) == 1

    def _full(self, model: str, what: str) -> QueueFull:
        return QueueFull(f"{what} already. Try again later.", retry_after_s=self._drain_s(model))

    def _drain_s(self, model: str) -> int:
        least, most = RETRY_AFTER_S
        crew = crew_of(present(self._redis), model, self._settings.interactive_lanes)
        with redis_errors():
            work = sum(float(cost) for cost in self._redis.hvals(keys.LINE_COST(model)))
        line = self.line_state(model)
        # Of a short line a tenth is less than a job, and no place would be free by then.
        two_jobs = 2 * (line.speeds.usual_cost(Priority.INTERACTIVE) or 0.0)
        wait_s = drain_s(max(0.1 * work, two_jobs), line, crew)
        return UNKNOWN_RETRY_AFTER_S if wait_s is None else math.ceil(min(most, max(least, wait_s)))


def _digest(text: str) -> str:
    """A client's own text never becomes part of a Redis key as it is."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""
