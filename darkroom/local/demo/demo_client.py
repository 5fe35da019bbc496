"""Orders one image as any client would: over HTTP, with no knowledge of what stands behind it."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from darkroom.client.server_events import ServerEvent, read_events
from darkroom.errors import DemoFailed

if TYPE_CHECKING:
    import httpx

FINAL = frozenset({"succeeded", "failed", "canceled"})
CONNECTIONS = 5


@dataclass(frozen=True)
class Order:
    """None: the model's default."""

    prompt: str
    model: str | None = None
    steps: int | None = None
    seed: int | None = None
    width: int | None = None
    height: int | None = None

    def body(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if value is not None}


class DemoClient:
    """Raises DemoFailed with what the API says, wherever it does not do what was asked."""

    def __init__(self, http: "httpx.Client", deadline_s: float) -> None:
        self._http = http
        self._deadline = time.monotonic() + deadline_s

    def order(self, order: Order) -> str:
        """The job's id."""
        return str(self._answer(self._http.post("/generate", json=order.body()))["id"])

    def follow(self, job: str, on_step: Callable[[int, int], None]) -> None:
        """Returns when the job is final, however it ended."""
        for event in self._events(job):
            if event.name == "step":
                step = json.loads(event.data)
                on_step(int(step["step"]), int(step["steps"]))

    def record(self, job: str) -> dict[str, Any]:
        """Of a job that succeeded."""
        record = self._answer(self._http.get(f"/jobs/{job}"))
        if record["status"] != "succeeded":
            raise DemoFailed(f"The job {job} is {record['status']}{_reason(record.get('error'))}")
        return record

    def fetch(self, url: str) -> bytes:
        """Through the signed URL alone."""
        response = self._http.get(url)
        if not response.is_success:
            raise DemoFailed(f"The signed URL answers {response.status_code}: {response.text[:500]}")
        return response.content

    def _events(self, job: str) -> Iterator[ServerEvent]:
        headers: dict[str, str] = {}
        for _ in range(CONNECTIONS):
            with self._http.stream("GET", f"/jobs/{job}/events", headers=headers) as response:
                if not response.is_success:
                    response.read()
                    self._answer(response)
                for event in read_events(self._in_time(response.iter_lines(), job)):
                    if event.id:
                        headers["Last-Event-ID"] = event.id
                    yield event
                    if event.name in FINAL:
                        return
        raise DemoFailed(f"The events of job {job} broke off {CONNECTIONS} times before the job was final.")

    def _in_time(self, lines: Iterable[str], job: str) -> Iterator[str]:
        for line in lines:  # the API says something every few seconds, if only a comment
            if time.monotonic() > self._deadline:
                raise DemoFailed(f"The job {job} was not finished in time.")
            yield line

    def _answer(self, response: "httpx.Response") -> dict[str, Any]:
        if response.is_success:
            answer: dict[str, Any] = response.json()
            return answer
        raise DemoFailed(f"{response.request.method} {response.request.url.path} answers {_problem(response)}")


def _problem(response: "httpx.Response") -> str:
    try:
        problem: Mapping[str, Any] = response.json()
        return f"{response.status_code} {problem['code']}: {problem.get('detail') or problem.get('title')}"
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code}: {response.text[:500]}"


def _reason(error: Mapping[str, Any] | None) -> str:
    return f": {error.get('code')}: {error.get('message')}" if error else "."
