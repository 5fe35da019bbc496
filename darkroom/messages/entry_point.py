"""What the entry points of workers do alike, around the Celery application that each makes for itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from celery import signals

from darkroom import log
from darkroom.errors import DarkroomError, Misconfigured
from darkroom.settings import Settings

logger = structlog.get_logger()


@contextmanager
def plain_refusal() -> Iterator[None]:
    """Around what a worker's module does as it is imported, where Celery would show a fault as a long traceback."""
    try:
        yield
    except Misconfigured as error:
        raise SystemExit(f"darkroom: {error.message}") from None


def refusal_to_start(error: DarkroomError) -> SystemExit:
    """For a boot step to raise: a traceback would hide the one line that says what to do."""
    logger.error("worker.cannot_start", code=error.code, reason=error.message)
    return SystemExit(1)


def log_plainly(settings: Settings) -> None:
    """Our log in place of Celery's own."""
    signals.setup_logging.connect(lambda **_: log.configure(settings), weak=False)
