"""Tells watchers how far jobs are, from threads of its own: a lane's next step never waits for Redis.

What lanes note while one message is on its way goes into the next: a forward's lanes are told of together, and a Redis
that is some milliseconds away keeps up with any number of lanes.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.job_store.claims import Claims
from gpu_worker.jobs.leases import Hold
from gpu_worker.previews.writer import Draw, Preview, PreviewWriter

log = structlog.get_logger()

# How long a finished job waits for its last step to be told, so that watchers see events in order.
FLUSH_S = 2.0
# While Redis is slow or away, the oldest untold steps are dropped beyond this.
MOST_UNTOLD = 1000
# In one message: Redis does nothing else meanwhile.
MOST_AT_ONCE = 64


@dataclass(frozen=True)
class Step:
    hold: Hold
    step: int
    steps: int


class ProgressWriter:
    def __init__(self, claims: Claims, flush_s: float = FLUSH_S) -> None:
        self._claims = claims
        self._flush_s = flush_s
        self._previews = PreviewWriter(claims)
        self._untold: deque[Step] = deque(maxlen=MOST_UNTOLD)
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._previews.start()

    def stop(self) -> None:
        self._previews.stop()
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=FLUSH_S)

    def note(self, hold: Hold, step: int, steps: int) -> None:
        """A step is done. Returns at once; if the job turns out to be lost, its hold is."""
        with self._changed:
            self._untold.append(Step(hold, step, steps))
            self._changed.notify_all()

    def preview(self, hold: Hold, step: int, steps: int, draw: Draw) -> None:
        """How the images stand can be drawn. Returns at once; a newer preview takes the place of one not drawn yet."""
        self._previews.note(Preview(hold, step, steps, draw))

    def flush(self, hold: Hold) -> None:
        """Until this job's steps are told, or that takes too long."""
        self._previews.forget(hold)
        with self._changed:
            self._changed.wait_for(lambda: all(step.hold is not hold for step in self._untold), self._flush_s)

    def _run(self) -> None:
        while steps := self._next():
            try:
                self._tell(steps)
            except Exception:
                # Without this thread nobody would hear of progress again, or of a cancel before the end.
                log.exception("job.progress_lost", job_id=steps[0].hold.job.id, steps=len(steps))
            with self._changed:
                # They stay in the queue until they are told, or flush would return too early.
                for step in steps:
                    if self._untold and self._untold[0] is step:
                        self._untold.popleft()
                self._changed.notify_all()

    def _next(self) -> Sequence[Step]:
        """Empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._untold or self._is_stopped)
            return list(islice(self._untold, MOST_AT_ONCE))

    def _tell(self, steps: Sequence[Step]) -> None:
        try:
            lost = self._claims.progress_of((step.hold.job, step.step, step.steps) for step in steps)
        except RedisUnavailable as error:
            # Progress can be missed. Whether a job is still ours shows at a later step, or at the end.
            for step in steps:
                log.warning("job.progress_lost", job_id=step.hold.job.id, step=step.step, reason=error.message)
            return
        for step in steps:
            if step.hold.job.held_as in lost:
                step.hold.lose()
