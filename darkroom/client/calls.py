"""Each call of the API as a value: what to send, and how to read the answer. Who sends it stands elsewhere."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Generic, TypeVar

import httpx

from darkroom.client.answers import Job, JobPage, Upload
from darkroom.client.errors import Refused, Unreachable

Answer = TypeVar("Answer")

DEFAULT_URL = "http://127.0.0.1:8000"
# The server holds an answer back for so long at most.
WAIT_S = 60
# Of an answer in between: a proxy's page is not worth more.
LONGEST_MESSAGE = 300


@dataclass(frozen=True)
class Call(Generic[Answer]):
    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    json: Mapping[str, Any] | None = None
    content: bytes | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    may_repeat: bool = True
    """Whether sending it again, where no answer came, does nothing twice."""


def headers(api_key: str | None) -> dict[str, str]:
    key = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return {"User-Agent": f"darkroom-client/{version('darkroom')}", **key}


def submit(prompt: str, fields: Mapping[str, Any], wait_s: float, idempotency_key: str | None) -> Call[Job]:
    """Has an Idempotency-Key in any case, so that it may be sent again."""
    prefer = {"Prefer": f"wait={int(min(wait_s, WAIT_S))}"} if wait_s >= 1 else {}
    given = {name: value for name, value in fields.items() if value is not None}
    return Call(
        "POST", "/generate", _job, json={"prompt": prompt, **given},
        headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4()), **prefer},
    )  # fmt: skip


def get_job(job_id: str) -> Call[Job]:
    return Call("GET", f"/jobs/{job_id}", _job)


def jobs(limit: int, cursor: str | None) -> Call[JobPage]:
    params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
    return Call("GET", "/jobs", lambda answer: JobPage.model_validate(answer.json()), params=params)


def cancel(job_id: str) -> Call[Job]:
    return Call("POST", f"/jobs/{job_id}/cancel", _job)


def delete(job_id: str) -> Call[None]:
    return Call("DELETE", f"/jobs/{job_id}", lambda _: None)


def upload(picture: bytes) -> Call[Upload]:
    # The same bytes are kept once, however often they come.
    return Call(
        "POST", "/uploads", lambda answer: Upload.model_validate(answer.json()), content=picture,
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip


def read(path: str) -> Call[dict[str, Any]]:
    """Whatever stands there, as it is."""
    return Call("GET", path, _object)


def answer_of(call: Call[Answer], response: httpx.Response) -> Answer:
    """Raises Refused, Unreachable."""
    if response.is_success:
        try:
            return call.read(response)
        except ValueError as error:
            raise Unreachable(
                f"{response.url.host} answers in words that are not this API's. Check the URL."
            ) from error
    raise refusal(response)


def refusal(response: httpx.Response) -> Refused:
    """Of an answer whose body has been read."""
    try:
        problem = response.json()
        code, message = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        code, message = (
            "not_of_the_api",
            f"The server answers {response.status_code}: {response.text[:LONGEST_MESSAGE]}",
        )
    after = response.headers.get("retry-after", "")
    return Refused(response.status_code, code, message, float(after) if after.isdigit() else None)


def unreachable(url: str, error: httpx.TransportError) -> Unreachable:
    return Unreachable(f"{url} gives no answer ({type(error).__name__}). Is it the server's address, and is it up?")


def _job(answer: httpx.Response) -> Job:
    return Job.model_validate(answer.json())


def _object(answer: httpx.Response) -> dict[str, Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found
