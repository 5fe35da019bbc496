"""What an operator looks at: lines, running jobs, and how much each worker made lately. Reads, and changes nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.jobs import Job, JobState
from darkroom.request import Priority

# Lines are kept in the order of claims, not of age; of a longer one, those that come next are looked at.
MOST_LOOKED_AT = 2000
MOST_RUNNING = 200
LATELY_MS = 60_000


@dataclass(frozen=True)
class Line:
    """The jobs that wait for a model. `oldest_ms`: when the oldest was made; `work`: in megapixel-steps."""

    model: str
    interactive: int
    bulk: int
    oldest_ms: int | None
    work: float


class Overview:
    def __init__(self, client: Client) -> None:
        self._redis = client

    def now_ms(self) -> int:
        """By Redis's clock, which jobs are timed with."""
        with redis_errors():
            seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    def line(self, model: str) -> Line:
        """Raises RedisUnavailable."""
        names = [keys.LINE(model, priority) for priority in Priority]
        with redis_errors():
            pipe = self._redis.pipeline(transaction=False)
            for name in names:
                pipe.zcard(name)
                pipe.zrange(name, 0, MOST_LOOKED_AT - 1)
            pipe.hvals(keys.LINE_COST(model))
            interactive, next_interactive, bulk, next_bulk, costs = pipe.execute()
        return Line(model, interactive, bulk, _oldest_ms([*next_interactive, *next_bulk]), sum(map(float, costs)))

    def running(self) -> list[Job]:
        """Those whose leases end first are listed first. Raises RedisUnavailable."""
        with redis_errors():
            ids = self._redis.zrange(keys.LEASES(), 0, MOST_RUNNING - 1)
        return [job for job in self._jobs(ids) if job.state is JobState.RUNNING]

    def made_lately(self) -> Counter[str]:
        """Images of the last minute by worker. Raises RedisUnavailable."""
        now_ms = self.now_ms()
        with redis_errors():
            ids = self._redis.zrangebyscore(keys.FINAL(), now_ms - LATELY_MS, "+inf", start=0, num=MOST_LOOKED_AT)
        made: Counter[str] = Counter()
        for job in self._jobs(ids):
            if job.worker:
                made[job.worker] += len(job.images)
        return made

    def _jobs(self, ids: Iterable[str]) -> list[Job]:
        found = list(ids)
        with redis_errors():
            pipe = self._redis.pipeline(transaction=False)
            for job_id in found:
                pipe.hgetall(keys.JOB(job_id))
            records = pipe.execute()
        return [Job.from_record(job_id, record) for job_id, record in zip(found, records, strict=True) if record]


def _oldest_ms(ids: list[str]) -> int | None:
    """A job's id begins with when it was made, in microseconds."""
    return int(min(ids)[:14], 16) // 1000 if ids else None
