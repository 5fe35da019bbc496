"""Keeps an outage from flooding the log: one plain line where libraries print tracebacks, and none again and again."""

import logging
import threading
import time
from collections.abc import Callable

from darkroom.errors import Unavailable

# The same warning for the same reason is not said again within this; then with the number of those kept back.
AGAIN_S = 30.0
MOST_REMEMBERED = 1000

# What these log as errors, with tracebacks and over several lines, is that a broker is away, which they wait for.
WAIT_FOR_A_BROKER = ("celery.worker.consumer.consumer", "kombu.connection")
UNFINISHED = "ASGI callable returned without completing response."
# A setting that we chose, explained again at each lost connection.
EXPLAINED = "worker_cancel_long_running_tasks_on_connection_loss"


class OutageLines(logging.Filter):
    """For a handler: sees what is about to be written, ours and the libraries'."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "py.warnings" and EXPLAINED in record.getMessage():
            return False
        if not isinstance(record.msg, dict):
            _make_plain(record)
        said = _said(record)
        if record.levelno != logging.WARNING or said is None:
            return True
        kept_back = self._kept_back(said)
        if kept_back and isinstance(record.msg, dict):
            record.msg["kept_back"] = kept_back
        return kept_back is not None

    def _kept_back(self, said: tuple[str, str]) -> int | None:
        """How many like this were kept back since it was last said; None if this one shall be, too."""
        now = self._clock()
        with self._lock:
            last, count = self._said.get(said, (-AGAIN_S, 0))
            if now - last < AGAIN_S:
                self._said[said] = last, count + 1
                return None
            if len(self._said) >= MOST_REMEMBERED:
                self._said.clear()
            self._said[said] = now, 0
            return count


def _said(record: logging.LogRecord) -> tuple[str, str] | None:
    """What makes two warnings the same, whichever job they name; None for one that gives no reason."""
    if not isinstance(record.msg, dict):  # other libraries wait longer and longer by themselves
        return None
    reason = record.msg.get("reason")
    return (str(record.msg.get("event")), str(reason)) if reason else None


def _make_plain(record: logging.LogRecord) -> None:
    error = record.exc_info[1] if record.exc_info else None
    if record.name in WAIT_FOR_A_BROKER or isinstance(error, Unavailable):
        _say(record, " ".join(line.strip() for line in record.getMessage().splitlines()).strip())
    elif record.getMessage() == UNFINISHED:
        _say(record, "A stream was cut before its end.")


def _say(record: logging.LogRecord, text: str) -> None:
    record.msg, record.args, record.exc_info, record.exc_text = text, (), None, None
    record.levelno = min(record.levelno, logging.WARNING)
    record.levelname = logging.getLevelName(record.levelno)
