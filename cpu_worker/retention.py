"""Removes jobs whose retention time is over, with their images: a slice at a time, many slices a round.

Several rounds at once are harmless: each takes slices of its own.
"""

import structlog

from darkroom.errors import StorageUnavailable
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from storage.contract import Storage

log = structlog.get_logger()

# One call of S3, where jobs make one image each; and Redis removes so many records in some milliseconds.
JOBS_A_SLICE = 250
# Then what else this thread clears has its turn again, however many old jobs there are.
MOST_SLICES_A_ROUND = 40


class Retention:
    def __init__(self, upkeep: Upkeep, store: JobStore, storage: Storage, *, jobs_a_slice: int = JOBS_A_SLICE) -> None:
        self._upkeep = upkeep
        self._store = store
        self._storage = storage
        self._jobs_a_slice = jobs_a_slice

    def remove_old_jobs(self) -> None:
        """Raises RedisUnavailable, StorageUnavailable; what a slice has left is due again after a while."""
        for _ in range(MOST_SLICES_A_ROUND):
            if not (old := self._upkeep.take_old(self._jobs_a_slice)):
                break
            self._remove(old)

    def _remove(self, old: dict[str, int]) -> None:
        """Images first: a record without images can be removed later, images without a record never would be."""
        refused = self._storage.delete_jobs(old)
        gone = [job_id for job_id in old if job_id not in refused]
        if gone:
            self._store.delete_all(gone)
            log.info("retention.removed", jobs=len(gone))
        if refused:
            _tell(refused)


def _tell(refused: dict[str, StorageUnavailable]) -> None:
    reason = next(iter(refused.values()))
    log.warning("retention.refused", jobs=len(refused), code=reason.code, reason=reason.message)
