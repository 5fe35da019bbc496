"""How a worker leaves: in its own time, when the grace period is over, or at once when it is told twice.

And what one that leaves at once, or hangs, still does for its jobs.
"""

import queue
import threading
from collections.abc import Callable, Collection
from enum import Enum, auto

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.jobs import Job
from gpu_worker.jobs.job_end import wake_for
from gpu_worker.node import Node

log = structlog.get_logger()

# What a lane, an upload thread and Celery need to notice that it is time to stop; then the process ends whoever hangs.
PROMPT_S = 5.0
# What may be done for the jobs at the very last, with Redis or the broker away.
LAST_WORK_S = 5.0


class Word(Enum):
    LEAVE = auto()
    LEFT = auto()


class Drain:
    """Told to leave: `draining` is set, and after the grace period, or when told again, `stopping`.

    Whatever has not left PROMPT_S later, or when told a third time, is left behind: after `last_work` the process ends,
    with exit code 0, for nothing is lost.
    """

    def __init__(
        self,
        grace_s: float,
        draining: threading.Event,
        stopping: threading.Event,
        last_work: Callable[[], None],
        exit_at_once: Callable[[int], object],
        prompt_s: float = PROMPT_S,
    ) -> None:
        self._grace_s = grace_s
        self._draining = draining
        self._stopping = stopping
        self._last_work = last_work
        self._exit_at_once = exit_at_once
        self._prompt_s = prompt_s
        # Signal handlers speak to it: unlike an Event, it can be put into while it is being put into.
        self._words: queue.SimpleQueue[Word] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """Safe in a signal handler. Told again: at once."""
        self._words.put(Word.LEAVE)

    def left(self) -> None:
        """All is done in order."""
        self._words.put(Word.LEFT)
        if self._thread.is_alive():
            self._thread.join(timeout=self._prompt_s)

    def _run(self) -> None:
        if self._words.get() is Word.LEFT:
            return
        self._draining.set()
        log.info("worker.draining", grace_s=self._grace_s)
        word = self._hear_within(self._grace_s)
        if word is Word.LEFT:
            return
        log.info("worker.stopping", reason="told again" if word else "the grace period is over")
        self._stopping.set()
        if self._hear_within(self._prompt_s) is not Word.LEFT:
            self._end()

    def _hear_within(self, seconds: float) -> Word | None:
        try:
            return self._words.get(timeout=seconds)
        except queue.Empty:
            return None

    def _end(self) -> None:
        log.warning("worker.left_behind", reason="Some of its threads hang; its jobs are given back.")
        last_work = threading.Thread(target=self._do_last_work, name="last_work", daemon=True)
        last_work.start()
        last_work.join(timeout=LAST_WORK_S)
        self._exit_at_once(0)

    def _do_last_work(self) -> None:
        try:
            self._last_work()
        except Exception:
            log.exception("worker.last_work_failed")


def give_back(node: Node, blamed: Collection[str] = ()) -> None:
    """All that this worker holds goes back in line.

    For a blamed job it counts as a lost worker. Where Redis is away, the leases run out by themselves.
    """
    for job in node.leases.jobs():
        try:
            _put_back(job, node, is_blamed=job.id in blamed)
        except RedisUnavailable as error:
            # Each further try would take seconds, and bring nothing that the housekeeper does not.
            log.error("job.left", code=error.code, reason=error.message)
            return


def _put_back(job: Job, node: Node, *, is_blamed: bool) -> None:
    if is_blamed:
        node.claims.put_back_hung(job)
    else:
        node.claims.give_back(job)
    log.info("job.given_back", job_id=job.id, attempt=job.attempt, is_blamed=is_blamed)
    wake_for(job, node.wakeups)
