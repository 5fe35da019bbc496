"""Jobs whose clients were told that there is none, for Redis's answer never came: taken back as soon as it answers."""

import queue
import threading

import structlog

from darkroom.errors import Unavailable
from darkroom.job_store.store import JobStore
from darkroom.outages.retry_budget import retrying

log = structlog.get_logger()

# Of a long outage only the first requests can have reached Redis; later ones find its door closed.
MOST_OWED = 10_000
GIVES_UP_AFTER_S = 3600.0


class Withdrawals:
    """One thread, and none before it is needed. What is owed is lost with this process: then such a job is drawn."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._owed = queue.Queue[str](MOST_OWED)
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, job_id: str) -> None:
        try:
            self._owed.put_nowait(job_id)
        except queue.Full:
            log.warning("job.not_withdrawn", job_id=job_id, reason="Too many are owed already.")
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="withdrawals", daemon=True)
                self._thread.start()

    def close(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            job_id = self._owed.get()
            try:
                retrying(GIVES_UP_AFTER_S, stop=self._stopping)(self._store.withdraw, job_id, was_refused=True)
            except Unavailable as error:
                log.warning("job.not_withdrawn", job_id=job_id, reason=error.message)
