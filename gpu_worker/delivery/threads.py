"""The threads that run the outbox's tasks, beside those that draw."""

import threading

import structlog

from gpu_worker.delivery.outbox import LOOK_S, MOST_SENDING, Outbox

log = structlog.get_logger()

THREADS = MOST_SENDING + 2


class UploadThreads:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._threads = [
            threading.Thread(target=self._run, name=f"upload-{number}", daemon=True) for number in range(THREADS)
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
        while task := self._outbox.next_task():
            try:
                task()
            except Exception:
                # Without these threads, every image would wait until its job is lost.
                log.exception("upload.thread_failed")
