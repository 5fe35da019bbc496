"""Whether a worker may take in jobs, by what it has drawn already and could not deliver yet."""

import threading
from collections.abc import Callable

import structlog

from gpu_worker.spill import Spill

log = structlog.get_logger()

# Images that were drawn faster than they are encoded.
MOST_DRAWN_BYTES = 256 * 2**20
# What was full has room again below this, or each image that leaves would wake every worker.
ROOM_AGAIN = 0.75


class Room:
    """`on_room` is called when jobs may be taken in again after there was no room."""

    def __init__(self, spill: Spill, on_room: Callable[[], None], most_drawn_bytes: int = MOST_DRAWN_BYTES) -> None:
        self._spill = spill
        self._on_room = on_room
        self._most_drawn_bytes = most_drawn_bytes
        self._drawn_bytes = 0
        self._is_full = False
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return not self._is_full

    def drawn(self, added_bytes: int) -> None:
        with self._lock:
            self._drawn_bytes += added_bytes

    def look(self) -> None:
        """To be called when there is more or less than before."""
        with self._lock:
            fullness = max(self._spill.fullness(), self._drawn_bytes / self._most_drawn_bytes)
            was_full, self._is_full = self._is_full, fullness >= (ROOM_AGAIN if self._is_full else 1)
        if self._is_full and not was_full:
            log.warning(
                "outbox.full",
                bytes=self._spill.waiting_bytes,
                advice="No jobs are taken in until storage takes images.",
            )
        elif was_full and not self._is_full:
            log.info("outbox.has_room", bytes=self._spill.waiting_bytes)
            self._on_room()
