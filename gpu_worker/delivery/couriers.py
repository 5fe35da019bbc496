"""The threads that run the outbox's errands, beside those that draw."""

import threading

import structlog

from gpu_worker.delivery.outbox import LOOK_S, MOST_SENDING, Outbox

log = structlog.get_logger()

COURIERS = MOST_SENDING + 2


class Couriers:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._threads = [
            threading.Thread(target=self._run, name=f"courier-{number}", daemon=True) for number in range(COURIERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """One that hangs in storage is left behind; what it would write is refused."""
        self._outbox.close()
        for thread in self._threads:
            thread.join(timeout=LOOK_S)

    def _run(self) -> None:
        while errand := self._outbox.next_errand():
            try:
                errand()
            except Exception:
                # Without couriers, every image would wait until its job is lost.
                log.exception("courier.failed")
