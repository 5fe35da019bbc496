"""The job store as clients and the API see it: put jobs in, read, list, cancel and remove them."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.access.access import Access, Limits, configured_access
from darkroom.errors import (
    DailyLimit,
    IdempotencyConflict,
    InputGone,
    JobIsFinal,
    QueueFull,
    UnfinishedLimit,
    UnknownJob,
    WaitingLimit,
)
from darkroom.estimates.eta import crew_of, drain_s
from darkroom.estimates.line_state import LineState, Place
from darkroom.job_store import keys
from darkroom.job_store.lines import line_length
from darkroom.job_store.presence import present
from darkroom.job_store.redis_client import Client, redis_errors, store_full
from darkroom.job_store.scripts import Scripts, record_of
from darkroom.jobs import Job, JobState, new_job_id
from darkroom.request import ImageRequest, Priority
from darkroom.settings import Settings
from darkroom.webhooks.delivery import Webhook

IDEMPOTENCY_TTL_S = 86_400
# The client is told to come back after the time that a tenth of a full line takes, within these bounds.
RETRY_AFTER_S = (1, 600)
UNKNOWN_RETRY_AFTER_S = 30
UNBOUNDED = 2**31


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
        access: Access | None = None,
        idempotency_key: str = "",
        fingerprint: str = "",
        job_id: str | None = None,
        is_bounded: bool = True,
        webhook: Webhook | None = None,
    ) -> Admission:
        """Write a job's record and put it in its model's waiting line, in one step.

        `access`: the owner's, where it is another than the settings give. `job_id`: for a caller that may have to
        withdraw a job of which no answer came, and for a job whose id is known before; a second time it finds the
        first. Not bounded: however many wait.
        Raises LimitReached, IdempotencyConflict, InputGone, JobStoreFull, RedisUnavailable.
        """
        settings = self._settings
        access = access or configured_access(owner, settings)
        limits = access.limits if is_bounded else Limits()
        most_for_model = settings.max_waiting_per_model if is_bounded else UNBOUNDED
        most_waiting = limits.waiting or (settings.max_waiting_per_key if is_bounded else UNBOUNDED)
        answer = self._scripts.run_in_time(
            "enqueue", job_id or new_job_id(), owner, request.model, request.priority, request.cost,
            access.weight, request.model_dump_json(), most_for_model, most_waiting,
            _digest(idempotency_key), fingerprint, IDEMPOTENCY_TTL_S, int(1000 * (request.deadline_s or 0)),
            " ".join(request.inputs), limits.unfinished or 0, limits.daily_megapixel_steps or 0,
            webhook.url if webhook else "", " ".join(webhook.events) if webhook else "",
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
                what = f"{settings.max_waiting_per_model} jobs wait for {request.model} already."
                raise self._full(QueueFull, request.model, what)
            case ["unfinished_full"]:
                what = f"{limits.unfinished} of your jobs wait or run already, and this key may have no more."
                raise self._full(UnfinishedLimit, request.model, what)
            case ["daily_full", str(used), int(left_s)]:
                raise _day_is_over(request.cost, float(used), limits.daily_megapixel_steps or 0, left_s)
            case _:
                what = f"{most_waiting} of your jobs wait for {request.model} already."
                raise self._full(WaitingLimit, request.model, what)

    def check_room(self, model: str) -> None:
        """Whether a model's line takes jobs, for one that will come later. Raises QueueFull, RedisUnavailable."""
        if line_length(self._redis, model) >= self._settings.max_waiting_per_model:
            raise self._full(QueueFull, model, f"{self._settings.max_waiting_per_model} jobs wait for {model} already.")

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

    def _full(self, kind: type[QueueFull], model: str, what: str) -> QueueFull:
        return kind(f"{what} Try again later.", retry_after_s=self._drain_s(model))

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


def _day_is_over(cost: float, used: float, most: float, left_s: int) -> DailyLimit:
    return DailyLimit(
        f"The job is {cost:.6g} megapixel-steps, and this key has {max(0.0, most - used):.6g} of its {most:.6g} left "
        "today (UTC). Ask for less, or tomorrow.",
        retry_after_s=left_s,
    )


def _digest(text: str) -> str:
    """A client's own text never becomes part of a Redis key as it is."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""
