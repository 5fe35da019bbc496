"""The API process: `python -m api`."""

import sys

import structlog
import uvicorn

from api.application import create_app
from darkroom import log
from darkroom.errors import Misconfigured
from darkroom.settings import read_settings

logger = structlog.get_logger()

# Open event streams are cut after this, and their clients reconnect elsewhere.
SHUTDOWN_S = 5


def main() -> None:
    try:
        settings = read_settings()
        log.configure(settings)
        app = create_app(settings)
    except Misconfigured as error:
        logger.error("api.cannot_start", code=error.code, reason=error.message)
        sys.exit(1)
    if not app.state.keys:
        logger.warning("api.open", reason="No API key is configured: everyone on this machine may use this server.")
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
    )


if __name__ == "__main__":
    main()
