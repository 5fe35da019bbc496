"""Everything that can go wrong, as one tree. Knows no HTTP: the API has the table of statuses.

DarkroomError
├── Misconfigured               a process cannot start like this
├── StackFailed                 a part of the local stack did not start, or would not stay up
├── DemoFailed                  the stack runs, and the image is not what was asked for
├── InvalidRequest              the client's request, with one fault for each thing to mend
├── NotFound
│   ├── UnknownJob
│   ├── UnknownImage
│   ├── UnknownKey
│   ├── InputGone               a job was to have an input that is not kept any more
│   └── ObjectMissing           storage has nothing under this key
├── FetchFailed                 a client's URL leads to nothing that can be used
│   ├── UrlForbidden
│   ├── UrlUnreachable
│   ├── UrlTooLarge
│   └── UrlWrongType
├── Refused                     understood, and not done
│   ├── JobIsFinal
│   ├── LimitReached            too much of something; trying again later helps
│   │   ├── QueueFull
│   │   │   ├── WaitingLimit    of the key's own jobs
│   │   │   └── UnfinishedLimit
│   │   ├── RateLimited
│   │   └── DailyLimit
│   ├── KeyNameTaken
│   ├── IdempotencyConflict
│   ├── LinkExpired
│   └── LinkForged
├── Unavailable                 a part that we need does not answer; trying again can help
│   ├── InputsBusy              too many pictures are being read just now
│   ├── RedisUnavailable
│   │   └── JobStoreFull        it answers, and has no memory for more
│   ├── BrokerUnavailable
│   └── StorageUnavailable
├── JobError                    why a job failed; written into its record
│   ├── WeightsMissing
│   ├── WeightsRefused
│   ├── OutOfMemory
│   ├── InputMissing            an input is not in storage any more
│   ├── GenerationFailed
│   ├── DeadlineExceeded
│   └── DeliveryFailed
├── JobTaken                    this attempt no longer owns its job: stop, and write nothing
└── WorkerStopping              this worker gives its jobs back
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


class DarkroomError(Exception):
    """`code` is stable and machine-readable; the message says what, which one, and what to do."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Misconfigured(DarkroomError):
    code = "misconfigured"


class StackFailed(DarkroomError):
    code = "stack_failed"


class DemoFailed(DarkroomError):
    code = "demo_failed"


@dataclass(frozen=True)
class Fault:
    """One thing to mend in a request. `field` is a path like `width` or `prompt`."""

    field: str
    code: str
    message: str


class InvalidRequest(DarkroomError):
    """Names all faults at once, so that a client mends its request in one go."""

    code = "invalid_request"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(fault.message for fault in faults))
        self.faults = tuple(faults)

    @classmethod
    def of(cls, field: str, code: str, message: str) -> Self:
        """With one fault."""
        return cls([Fault(field, code, message)])


class NotFound(DarkroomError):
    code = "not_found"


class UnknownJob(NotFound):
    code = "unknown_job"


class UnknownImage(NotFound):
    code = "unknown_image"


class UnknownKey(NotFound):
    code = "unknown_key"


class InputGone(NotFound):
    code = "unknown_upload"


class ObjectMissing(NotFound):
    code = "object_missing"


class FetchFailed(DarkroomError):
    code = "fetch_failed"


class UrlForbidden(FetchFailed):
    code = "url_forbidden"


class UrlUnreachable(FetchFailed):
    code = "url_unreachable"


class UrlTooLarge(FetchFailed):
    code = "url_too_large"


class UrlWrongType(FetchFailed):
    code = "url_wrong_type"


class Refused(DarkroomError):
    code = "refused"


class JobIsFinal(Refused):
    code = "job_is_final"


class LimitReached(Refused):
    code = "limit_reached"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueueFull(LimitReached):
    code = "queue_full"


class WaitingLimit(QueueFull):
    code = "waiting_limit"


class UnfinishedLimit(QueueFull):
    code = "unfinished_limit"


class RateLimited(LimitReached):
    code = "rate_limited"


class DailyLimit(LimitReached):
    code = "daily_limit"


class KeyNameTaken(Refused):
    code = "key_name_taken"


class IdempotencyConflict(Refused):
    code = "idempotency_conflict"


class LinkExpired(Refused):
    code = "link_expired"


class LinkForged(Refused):
    code = "link_forged"


class Unavailable(DarkroomError):
    code = "unavailable"
    retry_after_s: ClassVar[int] = 5


class InputsBusy(Unavailable):
    code = "inputs_busy"


class RedisUnavailable(Unavailable):
    code = "redis_unavailable"


class JobStoreFull(RedisUnavailable):
    code = "job_store_full"
    retry_after_s = 30


class BrokerUnavailable(Unavailable):
    code = "broker_unavailable"


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"


class JobError(DarkroomError):
    code = "job_failed"


class WeightsMissing(JobError):
    code = "weights_missing"


class WeightsRefused(JobError):
    code = "weights_refused"


class OutOfMemory(JobError):
    code = "out_of_memory"


class InputMissing(JobError):
    code = "input_missing"


class GenerationFailed(JobError):
    code = "generation_failed"

    comes_again: bool = False
    """Set by who has seen the same error twice: then another worker need not try."""


class DeadlineExceeded(JobError):
    code = "deadline_exceeded"


class DeliveryFailed(JobError):
    code = "delivery_failed"


class JobTaken(DarkroomError):
    """The job was canceled, deleted, finished elsewhere, or given to another attempt."""

    code = "job_taken"


class WorkerStopping(DarkroomError):
    code = "worker_stopping"
