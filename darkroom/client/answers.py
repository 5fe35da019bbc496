"""What the API answers, as far as a client needs it. Fields that are new to it are left aside."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["queued", "running", "succeeded", "failed", "canceled"]
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "canceled"})


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Image(_Answer):
    id: str
    url: str = Field(description="Signed: whoever has it may fetch the image, until it expires.")
    expires_at: datetime
    width: int
    height: int
    bytes: int
    content_type: str
    seed: int
    sha256: str

    @property
    def suffix(self) -> str:
        return "." + self.content_type.partition("/")[2].replace("jpeg", "jpg")


class Failure(_Answer):
    code: str
    message: str


class Job(_Answer):
    id: str
    status: Status
    model: str
    created_at: datetime
    queue_position: int | None = None
    eta_s: float | None = None
    notice: str | None = None
    seed: int
    attempt: int = 0
    request: dict[str, Any]
    images: list[Image]
    error: Failure | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


class JobPage(_Answer):
    jobs: list[Job]
    next_cursor: str | None = None


class Upload(_Answer):
    id: str
    width: int
    height: int
    expires_at: datetime


class Event(_Answer):
    """Of a job: `queued`, `started`, `step`, `preview`, and its end, which is the last."""

    kind: str
    data: dict[str, Any]
    id: str | None = None

    @property
    def is_final(self) -> bool:
        return self.kind in FINAL
