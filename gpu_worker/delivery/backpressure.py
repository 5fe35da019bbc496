"""Whether a worker may take in jobs, by what it has drawn already and could not deliver yet."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()

# Images that were drawn faster than they are encoded.
MOST_DRAWN_BYTES = 256 * 2**20
# What was full has room again below this, so that it is not said again for every image that leaves.
ROOM_AGAIN = 0.75
# Who waits for room looks this often whether it is still worth waiting.
LOOK_S = 0.5


class Backpressure:
    """`most_encoded_bytes` may wait in memory for storage; what lanes have under way may exceed it."""

    def __init__(
        self, most_encoded_bytes: int, most_drawn_bytes: int = MOST_DRAWN_BYTES, look_s: float = LOOK_S
    ) -> None:
        self._look_s = look_s
        self._most_encoded_bytes = most_encoded_bytes
        self.encoded_bytes = 0
        self._most_drawn_bytes = most_drawn_bytes
        self.drawn_bytes = 0
        self._is_full = False
        self._changed = threading.Condition()

    def __bool__(self) -> bool:
        return not self._is_full

    def wait(self, is_leaving: Callable[[], bool]) -> None:
        """Until there is room, or nobody needs it any more."""
        with self._changed:
            while self._is_full and not is_leaving():
                self._changed.wait(self._look_s)

    def drawn(self, added_bytes: int) -> None:
        with self._changed:
            self.drawn_bytes += added_bytes

    def encoded(self, added_bytes: int) -> None:
        with self._changed:
            self.encoded_bytes += added_bytes

    def look(self) -> None:
        """To be called when there is more or less than before."""
        with self._changed:
            fullness = max(self.encoded_bytes / self._most_encoded_bytes, self.drawn_bytes / self._most_drawn_bytes)
            was_full, self._is_full = self._is_full, fullness >= (ROOM_AGAIN if self._is_full else 1)
            self._changed.notify_all()
        if self._is_full and not was_full:
            log.warning(
                "outbox.full",
                bytes=self.encoded_bytes,
                advice="No jobs are taken in until storage takes images.",
            )
        elif was_full and not self._is_full:
            log.info("outbox.has_room", bytes=self.encoded_bytes)
