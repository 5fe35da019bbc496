"""Looks whether the networks still move: a forward that never ends would hold its jobs, and this worker, for ever.

Light: it knows no torch.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

LOOKS = 10  # in the time after which a forward counts as hung


@dataclass(frozen=True)
class Forward:
    """What the networks are busy with: `jobs` are the ids of those whose calls it may hang in."""

    number: int
    jobs: frozenset[str]


class Watchdog:
    """Calls `on_hang` when one and the same forward has been watched for `limit_s`."""

    def __init__(
        self,
        forward: Callable[[], Forward | None],
        on_hang: Callable[[Forward], None],
        limit_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._forward = forward
        self._on_hang = on_hang
        self._limit_s = limit_s
        self._clock = clock
        self._period_s = limit_s / LOOKS
        self._watched: Forward | None = None
        self._watched_for_s = 0.0
        self._looked_s = clock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=self._period_s)

    def look(self) -> None:
        now_s, forward = self._clock(), self._forward()
        # A process that was stopped (SIGSTOP, a suspended machine) did not hang: a gap counts as two looks at most.
        since_s, self._looked_s = min(now_s - self._looked_s, 2 * self._period_s), now_s
        if forward is None or self._watched is None or forward.number != self._watched.number:
            self._watched, self._watched_for_s = forward, 0.0
            return
        self._watched_for_s += since_s
        if self._watched_for_s >= self._limit_s:
            self._on_hang(forward)

    def _run(self) -> None:
        while not self._stopped.wait(self._period_s):
            try:
                self.look()
            except Exception:
                # Without this thread, a hang would be noticed by nobody.
                log.exception("watchdog.failed")
