"""Reads server-sent events from the lines of a response (HTML standard, section 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerEvent:
    name: str
    data: str
    id: str | None = None


def read_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """An event that the stream's end cuts off is dropped, as the standard says."""
    name, data, last_id = "", list[str](), None
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                name = value
            case "data":
                data.append(value)
            case "id":
                last_id = value
        if not line:
            if data:
                yield ServerEvent(name or "message", "\n".join(data), last_id)
            name, data = "", []
