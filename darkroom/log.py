"""Log lines: an event name and fields, for a person or for a machine. Never a prompt, a key or a signed URL."""

import logging
import sys

import structlog

from darkroom.outages.lines import OutageLines
from darkroom.settings import Settings

# They say at each message what our own lines say better, and repeat its arguments.
CHATTY = ("celery.worker.strategy", "celery.app.trace", "kombu", "httpx", "uvicorn.access")


def configure(settings: Settings) -> None:
    """Send structlog's and the standard library's lines through one formatter to stderr."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Here, and plainly: structlog's own pretty tracebacks show local variables, so prompts and keys.
                structlog.processors.format_exc_info,
                _renderer(settings),
            ],
        )
    )
    handler.addFilter(OutageLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _renderer(settings: Settings) -> structlog.types.Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
