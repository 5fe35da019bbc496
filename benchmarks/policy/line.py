"""A model's waiting line, as Redis keeps it: interactive before bulk, then start-time fair queueing between keys."""

import heapq
import itertools

from benchmarks.policy.jobs import BULK, INTERACTIVE, Job


class _Class:
    """Jobs of one priority. See docs/decisions/0003."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Job]] = []
        self._virtual = 0.0
        self._finish: dict[int, float] = {}
        self._number = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, job: Job) -> None:
        start = self._virtual
        if job.owner is not None:
            start = max(start, self._finish.get(job.owner, 0.0))
            self._finish[job.owner] = start + job.steps
        heapq.heappush(self._heap, (start, next(self._number), job))

    def take(self) -> Job:
        start, _, job = heapq.heappop(self._heap)
        self._virtual = max(self._virtual, start)
        if not self._heap:
            self._virtual = 0.0
            self._finish.clear()
        return job


class Line:
    """Where nobody has more than one job, each class is first come, first served."""

    def __init__(self) -> None:
        self._classes = {INTERACTIVE: _Class(), BULK: _Class()}

    def put(self, job: Job) -> None:
        self._classes[job.priority].put(job)

    def take(self, *, bulk_allowed: bool) -> Job | None:
        """The next job that may have a lane, or None."""
        if self._classes[INTERACTIVE]:
            return self._classes[INTERACTIVE].take()
        return self._classes[BULK].take() if bulk_allowed and self._classes[BULK] else None
