"""Reads server-sent events from the lines of a response (HTML standard, section 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ServerEvent:
    name: str
    data: str
    id: str | None = None


@dataclass
class EventReader:
    """Is given one line after the other, wherever they come from."""

    last_id: str | None = None
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def read(self, line: str) -> ServerEvent | None:
        """The event that this line ends."""
        if not line:
            event = ServerEvent(self._name or "message", "\n".join(self._data), self.last_id) if self._data else None
            self._name, self._data = "", []
            return event
        field_name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field_name:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id":
                self.last_id = value
        return None


def read_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """An event that the stream's end cuts off is dropped, as the standard says."""
    reader = EventReader()
    for line in lines:
        if event := reader.read(line):
            yield event
