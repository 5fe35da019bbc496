"""The thread of a CPU worker in which its webhooks are sent."""

import asyncio
import threading

import structlog

from cpu_worker.webhooks.sender import WebhookSender
from darkroom.errors import Unavailable

log = structlog.get_logger()

PERIOD_S = 0.5


class WebhookThread:
    def __init__(self, sender: WebhookSender) -> None:
        self._sender = sender
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What is under way is cut off, and due again a minute later."""
        self._stopped.set()

    async def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                await self._sender.start_due()
            except Unavailable as error:
                log.warning("webhooks.interrupted", code=error.code, reason=error.message)
            except Exception:
                # Without this thread no webhook would be sent.
                log.exception("webhooks.failed")
            await asyncio.sleep(PERIOD_S)
