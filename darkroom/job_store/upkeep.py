"""The job store as the housekeeper sees it: what was lost, what is due, what is too old."""

from darkroom.job_store import keys
from darkroom.job_store.lines import line_length
from darkroom.job_store.presence import present
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.job_store.requeue import requeue
from darkroom.job_store.scripts import Scripts
from darkroom.jobs import IMAGES, StoredImage
from darkroom.settings import Settings
from darkroom.workers import lanes_of

# Follow-up work that is not done by then has lost its message, or its worker.
FOLLOWUP_DUE_MS = 60_000
# A worker that lost its job has noticed by then, and cleaned up, or is dead.
LEFTOVERS_DUE_LEASES = 4
# Longer than storage that hangs can hold up a round, for rounds overlap, and must not all hang on the same job.
LEFTOVERS_AGAIN_MS = 150_000


class Upkeep:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._redis = client
        self._scripts = Scripts(client)
        self._settings = settings

    def now_ms(self) -> int:
        """By Redis's clock, which is the one that leases and jobs are timed with."""
        with redis_errors():
            seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    def takes_turn(self) -> bool:
        """Whether this worker keeps house now, and no other did within the last period."""
        with redis_errors():
            period_ms = int(900 * self._settings.housekeeping_period_s)
            return bool(self._redis.set(keys.TURN(), 1, nx=True, px=period_ms))

    def silent(self, limit: int = 1000) -> list[tuple[str, int]]:
        """Ids and attempts of running jobs whose worker has been silent for the length of a lease."""
        with redis_errors():
            ids = self._redis.zrangebyscore(keys.LEASES(), "-inf", self.now_ms(), start=0, num=limit)
            return [(job_id, int(self._redis.hget(keys.JOB(job_id), "attempt") or 0)) for job_id in ids]

    def requeue_lost(self, job_id: str, attempt: int) -> str:
        """Put back a job whose lease ran out, or fail it with its last attempt: `queued`, `failed`, `kept`."""
        return requeue(self._scripts, job_id, attempt, "worker_lost", self._settings.max_attempts)

    def cancel_late(self, limit: int = 1000) -> list[str]:
        """Cancel jobs whose own deadline has passed; their ids."""
        with redis_errors():
            late = self._redis.zrangebyscore(keys.DEADLINES(), "-inf", self.now_ms(), start=0, num=limit)
        return [job_id for job_id in late if self._scripts.run("cancel", job_id, "late")]

    def models(self) -> list[str]:
        """Those that have had a job."""
        with redis_errors():
            return sorted(self._redis.smembers(keys.MODELS()))

    def waiting(self, model: str) -> int:
        """Jobs in a model's line."""
        return line_length(self._redis, model)

    def lanes(self, model: str) -> int:
        """Of all workers that are there: how many wake-ups they may have in their hands."""
        return lanes_of(present(self._redis), model)

    def note_surplus(self, model: str, count: int) -> None:
        """So many wake-ups are in a model's queue for no job, if that is more than none."""
        with redis_errors():
            if count > 0:
                self._redis.set(keys.SURPLUS(model), count, px=int(2000 * self._settings.housekeeping_period_s))
            else:
                self._redis.delete(keys.SURPLUS(model))

    def take_old(self, limit: int = 1000) -> dict[str, int]:
        """Final jobs whose retention time is over, the oldest first, with how many images each was to make.

        No other round gets them meanwhile.
        """
        before_ms = self.now_ms() - self._settings.retention_s * 1000
        answer = self._scripts.run("take_old", before_ms, LEFTOVERS_AGAIN_MS, limit)
        pairs = [pair for pair in answer if isinstance(pair, list)] if isinstance(answer, list) else []
        return {str(job_id): int(str(images)) for job_id, images in pairs}

    def due_followups(self, limit: int = 100) -> list[str]:
        """Succeeded jobs whose follow-up work should have been done by now. Each is due again a minute later."""
        now = self.now_ms()
        with redis_errors():
            due = list(self._redis.zrangebyscore(keys.FOLLOWUPS(), "-inf", now - FOLLOWUP_DUE_MS, start=0, num=limit))
            if due:
                self._redis.zadd(keys.FOLLOWUPS(), dict.fromkeys(due, now), xx=True)
        return due

    def followed_up(self, job_id: str, images: list[StoredImage]) -> bool:
        """Record a job's thumbnails. False if it was deleted meanwhile: then they are to be removed again."""
        return bool(self._scripts.run("followed_up", job_id, IMAGES.dump_json(images).decode()))

    def drop_followup(self, job_id: str) -> None:
        """There is nothing to follow up: the job or its images are gone."""
        with redis_errors():
            self._redis.zrem(keys.FOLLOWUPS(), job_id)

    def due_leftovers(self, limit: int = 100) -> list[str]:
        """Jobs canceled or deleted while they may have had a worker: it may have stored files for nobody, and died.

        Each is due again after a while, should this round be interrupted.
        """
        before = int(self.now_ms() - LEFTOVERS_DUE_LEASES * self._settings.lease_s * 1000)
        with redis_errors():
            due = list(self._redis.zrangebyscore(keys.LEFTOVERS(), "-inf", before, start=0, num=limit))
            if due:
                self._redis.zadd(keys.LEFTOVERS(), dict.fromkeys(due, before + LEFTOVERS_AGAIN_MS), xx=True)
        return due

    def cleared_leftovers(self, job_id: str) -> None:
        with redis_errors():
            self._redis.zrem(keys.LEFTOVERS(), job_id)
