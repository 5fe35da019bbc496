"""Streams of server-sent events, for the OpenAPI document: its schema is that of each event, as the field reads it."""

from collections.abc import Iterable
from typing import Any


def event_stream(kinds: Iterable[str], example: str) -> dict[str, Any]:
    """Content of an answer whose events are of these kinds, and have JSON as their data."""
    event = {
        "type": "object",
        "properties": {
            "event": {"type": "string", "enum": sorted(kinds)},
            "data": {"type": "string", "contentMediaType": "application/json"},
            "id": {"type": "string", "description": "To resume behind, as `Last-Event-ID`."},
            "retry": {"type": "integer", "description": "Milliseconds to leave before coming back."},
        },
        "required": ["event", "data"],
    }
    return {"text/event-stream": {"schema": event, "example": example}}
