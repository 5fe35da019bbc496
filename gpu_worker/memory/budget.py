"""Which jobs a device's memory has room for, and how large a batch may be beside them. Bytes as the warm-up found them.

Without it a device that is nearly full runs out of memory again and again: every time, a forward is lost and made
again in halves. With it jobs wait, and one that can never fit is told so before its first step, not after its last.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gpu_worker.memory.device import Peak

# How often a job that waits for room looks whether it is still wanted, seconds.
LOOK_S = 0.5


@dataclass(frozen=True)
class Need:
    """Of one job."""

    held_bytes: int
    """From its first step to its last: latents, prompts, what its scheduler remembers."""
    forward_bytes: int
    """At most, in its own largest forward."""


class MemoryBudget:
    """One device's. Without a number of bytes, there is room for everybody."""

    def __init__(self) -> None:
        self._bytes: int | None = None
        self._inside: list[Need] = []
        self._waiting: list[object] = []  # in the order in which they will be let in
        self._changed = threading.Condition()

    def set(self, free_bytes: int | None) -> None:
        """What is free when nothing runs: once for each model that was loaded."""
        with self._changed:
            self._bytes = free_bytes
            self._changed.notify_all()

    def is_enough_for(self, need: Need) -> bool:
        """Whether the job fits when it has the device to itself."""
        with self._changed:
            return self._bytes is None or need.held_bytes + need.forward_bytes <= self._bytes

    @contextmanager
    def taken(self, need: Need, check: Callable[[], None]) -> Iterator[None]:
        """Waits until the job fits beside those inside. First come, first served, so that a large one has its turn.

        Only for a job that fits alone. Raises what `check` raises meanwhile.
        """
        self._wait(need, check)
        try:
            yield
        finally:
            with self._changed:
                self._inside.remove(need)
                self._changed.notify_all()

    def rows(self, peak: Peak) -> int | None:
        """Most rows of a forward that fit beside what the lanes hold; None for any number."""
        with self._changed:
            if self._bytes is None or not peak.row_bytes:
                return None
            left = self._bytes - sum(need.held_bytes for need in self._inside) - peak.fixed_bytes
        return max(1, left // peak.row_bytes)

    def _wait(self, need: Need, check: Callable[[], None]) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or not self._fits(need):
                    self._changed.wait(LOOK_S)
                    check()
                self._inside.append(need)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _fits(self, need: Need) -> bool:
        """There must be room for what all hold, and for the largest forward that one of them makes alone."""
        if self._bytes is None or not self._inside:
            return True
        everybody = [*self._inside, need]
        return sum(each.held_bytes for each in everybody) + max(each.forward_bytes for each in everybody) <= self._bytes
