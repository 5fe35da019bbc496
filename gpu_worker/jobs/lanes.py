"""A lane is a place for one job. Which jobs a worker takes in: as many as a model has lanes, never bulk jobs alone.

How a lane draws is in pipeline_lane.py.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import structlog

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.jobs import Job
from darkroom.request import ImageRequest, Priority
from gpu_worker.previews.writer import Draw

if TYPE_CHECKING:
    from PIL.Image import Image

log = structlog.get_logger()

Claim = Callable[[Sequence[Priority]], Job | None]
"""Claims the next job of these classes."""

ALL = tuple(Priority)
INTERACTIVE_ONLY = (Priority.INTERACTIVE,)
HEAR_S = 1.0


class Watch(Protocol):
    """Whom a lane tells how far it is, and asks whether to go on. Called in the lane's thread."""

    @property
    def job_id(self) -> str:
        """For whom the lane runs; empty for nobody."""

    def check(self) -> None:
        """Raises what ends the run: a cancel, a lost lease, a deadline, a stop."""

    def step_done(self, step: int, steps: int) -> None:
        """So many steps of all are done. Raises like `check`."""

    def preview(self, step: int, steps: int, draw: Draw) -> None:
        """How the images stand after this step can be drawn, in another thread and later, or never."""


class Lane(Protocol):
    def run(self, request: ImageRequest, watch: Watch) -> "list[Image]":
        """Draw the request's images, in order. The same request gives the same images, whoever shares its forwards.

        Raises OutOfMemory, GenerationFailed, and whatever `watch` raises.
        """


class Lanes:
    """The lanes of one model. Some are kept for interactive jobs, which so never wait for a bulk job to end."""

    def __init__(self, lanes: Iterable[Lane], kept_for_interactive: int = 0) -> None:
        self._idle = list(lanes)
        self.count = len(self._idle)
        self._most_bulk = max(1, len(self._idle) - kept_for_interactive)
        self._bulk = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self.changes = 0
        """Counts what may let in a job that could not come in before."""

    @contextmanager
    def open(self) -> Iterator[Lane | None]:
        """A free lane, or None."""
        with self._lock:
            lane = self._idle.pop() if self._idle else None
        try:
            yield lane
        finally:
            if lane is not None:
                with self._lock:
                    self._idle.append(lane)

    @contextmanager
    def next_job(self, claim: Claim) -> Iterator[tuple[Lane, Job] | None]:
        """The next job that may be taken in now and a lane for it, both counted as long as the context lasts."""
        # Claims of one process follow each other, so that two never count on the same room for a bulk job.
        with self._lock:
            job = claim(self._classes()) if self._idle else None
            lane = self._idle.pop() if job else None
            is_bulk = job is not None and job.request.priority is Priority.BULK
            self._bulk += is_bulk
        try:
            yield (lane, job) if lane and job else None
        finally:
            if lane is not None:
                with self._lock:
                    self._idle.append(lane)
                    self._bulk -= is_bulk
                    self._notify()

    def look(self) -> None:
        """For those who wait: a job has come that this model's kept lanes are for."""
        with self._lock:
            self._notify()

    def wait_for_change(self, changes: int, most_s: float) -> None:
        """Until there were more than `changes`."""
        with self._changed:
            self._changed.wait_for(lambda: self.changes != changes, most_s)

    def _notify(self) -> None:
        self.changes += 1
        self._changed.notify_all()

    def _classes(self) -> Sequence[Priority]:
        return ALL if self._bulk < self._most_bulk else INTERACTIVE_ONLY


class LineBell:
    """Hears that an interactive job has come in line, for wake-ups of bulk jobs that wait beside a lane kept for it.

    A thread that listens. While it cannot, those who wait look for themselves.
    """

    def __init__(self, client: Client, lanes: Mapping[str, Lanes]) -> None:
        self._redis = client
        self._lanes = {keys.LINE_BELL(model): lanes_of_model for model, lanes_of_model in lanes.items()}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=2 * HEAR_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except RedisUnavailable as error:
                log.warning("bell.not_heard", code=error.code, reason=error.message)
                self._stopped.wait(HEAR_S)

    def _listen(self) -> None:
        with redis_errors(), self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.subscribe(*self._lanes)
            while not self._stopped.is_set():
                if word := pubsub.get_message(timeout=HEAR_S):
                    self._lanes[word["channel"]].look()
