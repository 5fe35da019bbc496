"""What a message for follow-up work leads to: thumbnails now, or later, when storage and a thread are there for them.

The store keeps which jobs are owed some, so messages need no care: what is put off here, the housekeeper sends again.
"""

import threading
from contextlib import suppress

import structlog

from cpu_worker.thumbnails import Thumbnailer
from darkroom.errors import RedisUnavailable, Unavailable
from darkroom.job_store.upkeep import Upkeep

log = structlog.get_logger()

# One that finds the storage threads taken is due again after this.
BUSY_S = 2


class FollowUps:
    def __init__(self, thumbnailer: Thumbnailer, upkeep: Upkeep, threads: threading.Semaphore) -> None:
        """`threads` are those that may wait for storage."""
        self._thumbnailer = thumbnailer
        self._upkeep = upkeep
        self._threads = threads

    def follow_up(self, job_id: str) -> None:
        """Safe to run twice."""
        if not self._threads.acquire(blocking=False):
            with suppress(RedisUnavailable):  # then it is due a minute after it was sent
                self._upkeep.put_off_followup(job_id, BUSY_S)
            return
        try:
            self._thumbnailer.follow_up(job_id)
        except Unavailable as error:
            log.warning("follow_up.put_off", job_id=job_id, code=error.code, reason=error.message)
        finally:
            self._threads.release()
