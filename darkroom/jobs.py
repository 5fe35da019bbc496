"""A job and its life: what the API and the workers share. Knows no Redis."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter

from darkroom.request import ImageRequest


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return not NEXT[self]


# The one table of transitions: the store's scripts are given it, and refuse whatever is not in it.
NEXT: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELED}),
    # back to QUEUED: its worker was lost or gave it back, and another shall try.
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELED: frozenset(),
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class StoredObject(_Frozen):
    """One file in storage."""

    key: str
    content_type: str
    width: int
    height: int
    bytes: int
    sha256: str


class StoredImage(StoredObject):
    """One finished image. The CPU worker adds its thumbnail."""

    index: int
    seed: int
    thumbnail: StoredObject | None = None


class Failure(_Frozen):
    """Why a job failed: a stable code, and a sentence for its owner."""

    code: str
    message: str


class Attempt(NamedTuple):
    """One worker's try at a job. A worker may hold two of one job, of which the earlier is void."""

    job_id: str
    number: int


IMAGES = TypeAdapter(list[StoredImage])


@dataclass(frozen=True)
class Job:
    """A job as it stood when it was read. Times are milliseconds since the epoch, by Redis's clock."""

    id: str
    owner: str
    request: ImageRequest
    state: JobState
    created_ms: int
    attempt: int = 0
    started_ms: int | None = None
    finished_ms: int | None = None
    step: int = 0
    steps: int = 0
    worker: str | None = None
    images: list[StoredImage] = field(default_factory=list)
    failure: Failure | None = None

    @property
    def held_as(self) -> Attempt:
        return Attempt(self.id, self.attempt)

    @classmethod
    def from_record(cls, job_id: str, record: Mapping[str, str]) -> "Job":
        """`record` is the job's Redis hash."""
        return cls(
            id=job_id,
            owner=record["owner"],
            request=ImageRequest.model_validate_json(record["request"]),
            state=JobState(record["state"]),
            created_ms=int(record["created_ms"]),
            attempt=int(record["attempt"]),
            started_ms=_number(record, "started_ms"),
            finished_ms=_number(record, "finished_ms"),
            step=_number(record, "step") or 0,
            steps=_number(record, "steps") or 0,
            worker=record.get("worker") or None,
            images=IMAGES.validate_json(record.get("images") or "[]"),
            failure=Failure.model_validate_json(record["failure"]) if record.get("failure") else None,
        )


def _number(record: Mapping[str, str], name: str) -> int | None:
    return int(record[name]) if record.get(name) else None


def new_job_id() -> str:
    """28 hexadecimal characters: creation time in microseconds, then 56 random bits.

    Sorting ids sorts jobs by age, so a list of jobs needs no index beside its ids.
    """
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(7)}"


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
