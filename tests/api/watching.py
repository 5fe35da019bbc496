"""A client of event streams that knows the format and nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    type: str
    data: dict[str, Any]
    id: str | None


@contextmanager
def watching(http: httpx.Client, job_id: str, last_event_id: str | None = None) -> Iterator[Iterator[Told]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with http.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield parsed(answer.iter_lines())


def parsed(lines: Iterator[str]) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Told(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}


def next_of(kind: str, events: Iterator[Told]) -> Told:
    """Skips what comes before it."""
    return next(event for event in events if event.type == kind)
