"""Work that a worker does every few seconds in a thread of its own, so that no task can keep it from that."""

import threading
from collections.abc import Callable

import structlog

from darkroom.errors import Unavailable

log = structlog.get_logger()


class Rounds:
    def __init__(self, name: str, make_round: Callable[[], object], period_s: float) -> None:
        self._make_round = make_round
        self._period_s = period_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Does not wait for a round under way: storage may hang, and a round may be cut off anywhere."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._make_round()
            except Unavailable as error:
                # The next round comes in seconds.
                log.warning("housekeeping.interrupted", code=error.code, reason=error.message)
            except Exception:
                # Without this thread, lost jobs would stay lost.
                log.exception("housekeeping.failed")
            self._stopped.wait(self._period_s)
