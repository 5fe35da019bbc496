"""What the entry points of workers do alike, whichever carrier brings their messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from darkroom.errors import DarkroomError, Misconfigured
from darkroom.settings import Settings, read_settings

logger = structlog.get_logger()


@contextmanager
def plain_refusal() -> Iterator[None]:
    """Around what a worker's module does as it is imported, where a fault would show as a long traceback."""
    try:
        yield
    except Misconfigured as error:
        raise SystemExit(f"darkroom: {error.message}") from None


def settings_for(queue: Literal["celery", "arq"]) -> Settings:
    """Raises Misconfigured, also where messages go to the other kind of worker: this one would wait for ever."""
    settings = read_settings()
    if settings.queue != queue:
        kinds = {"celery": "a Celery worker", "arq": "an ARQ worker"}
        raise Misconfigured(
            f"This is {kinds[queue]}, and DARKROOM_QUEUE is {settings.queue}, so its messages go to {settings.queue}. "
            f"Set DARKROOM_QUEUE={queue} for all processes, or start {kinds[settings.queue]}."
        )
    return settings


def refusal_to_start(error: DarkroomError) -> SystemExit:
    """For what happens as a worker starts: a traceback would hide the one line that says what to do."""
    logger.error("worker.cannot_start", code=error.code, reason=error.message)
    return SystemExit(1)
