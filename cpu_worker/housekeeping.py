"""One round every few seconds: lost jobs back in line, lost messages sent again.

Several rounds at once are harmless: whatever changes a job is one atomic script.
"""

import structlog

from darkroom.job_store.upkeep import Upkeep
from darkroom.messages.wakeups import Wakeups
from storage.contract import Storage

log = structlog.get_logger()

# A line of a million is topped up over several rounds; workers have enough to do meanwhile.
MOST_WAKEUPS_A_ROUND = 1000
# No more are added than this while messages wait for CPU workers, so that they never pile up while storage is away.
MOST_FOLLOWUPS_WAITING = 100


class Housekeeper:
    def __init__(self, upkeep: Upkeep, storage: Storage, wakeups: Wakeups) -> None:
        self._upkeep = upkeep
        self._storage = storage
        self._wakeups = wakeups

    def keep_house_in_turn(self) -> None:
        """One worker a period is enough. Raises like `keep_house`."""
        if self._upkeep.takes_turn():
            self.keep_house()

    def keep_house(self) -> None:
        """Raises RedisUnavailable, BrokerUnavailable; the next round goes on from there."""
        self.cancel_late_jobs()
        self.put_back_lost_jobs()
        self.level_wakeups()
        self.send_due_followups()

    def cancel_late_jobs(self) -> None:
        """Those that wait, or are in a long step: at a claim, a step, a renewal and the end, scripts look anyway."""
        for job_id in self._upkeep.cancel_late():
            log.info("job.deadline_passed", job_id=job_id)

    def put_back_lost_jobs(self) -> None:
        for job_id, attempt in self._upkeep.silent():
            end = self._upkeep.requeue_lost(job_id, attempt)
            if end != "kept":
                log.warning("worker.lost", job_id=job_id, attempt=attempt, job_is=end)

    def level_wakeups(self) -> None:
        """As many wake-ups as jobs wait, and no more than workers may just be taking: a canceled job leaves its own."""
        for model in self._upkeep.models():
            before = self._upkeep.waiting(model)
            pending, waiting = self._wakeups.pending(model), self._upkeep.waiting(model)
            missing = waiting - pending
            for _ in range(min(missing, MOST_WAKEUPS_A_ROUND)):
                self._wakeups.wake(model)
            if missing > 0:
                log.info("wakeups.topped_up", model=model, count=missing)
            surplus = pending - max(before, waiting) - self._upkeep.lanes(model)
            self._upkeep.note_surplus(model, surplus)
            if surplus > 0:
                log.info("wakeups.surplus", model=model, count=surplus)

    def send_due_followups(self) -> None:
        """Those whose message was lost, or not done. Fewer where many still wait to be done."""
        room = MOST_FOLLOWUPS_WAITING - self._wakeups.pending_follow_ups()
        for job_id in self._upkeep.due_followups(room) if room > 0 else ():
            self._wakeups.follow_up(job_id)

    def clear_leftovers(self) -> None:
        """What a worker stored for a job that was canceled or deleted meanwhile, and was killed before clearing up.

        Apart from the rest, since storage that hangs must not keep a lost job from going back in line. Raises
        RedisUnavailable, StorageUnavailable; what is left is due again after a while.
        """
        for job_id in self._upkeep.due_leftovers():
            self._storage.delete_job(job_id)
            self._upkeep.cleared_leftovers(job_id)
