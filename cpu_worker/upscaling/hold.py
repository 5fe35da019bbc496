"""A job in this worker's hands: its lease is renewed from a thread of its own, and its work ends when that is lost."""

import threading
import time
from contextlib import suppress
from types import TracebackType

from darkroom.errors import DeadlineExceeded, JobTaken, RedisUnavailable, WorkerStopping
from darkroom.job_store.claims import Claims
from darkroom.jobs import Job
from darkroom.settings import Settings


class Hold:
    """A context. `stopping` is set when this worker shall end."""

    def __init__(self, job: Job, claims: Claims, settings: Settings, stopping: threading.Event) -> None:
        self._job = job
        self._claims = claims
        self._deadline_s = settings.job_deadline_s
        # Three renewals fit in a lease, so a single lost packet never costs a worker its job.
        self._period_s = settings.lease_s / 3
        self._stopping = stopping
        self._lost = threading.Event()
        self._done = threading.Event()
        self._ends = time.monotonic() + settings.job_deadline_s
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> "Hold":
        """Begins with a renewal: an attempt counts once its worker has said that it has the job."""
        self._renew()
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._done.set()

    def check(self) -> None:
        """Raises JobTaken, DeadlineExceeded, WorkerStopping."""
        if self._lost.is_set():
            raise JobTaken(f"Attempt {self._job.attempt} lost job {self._job.id}.")
        if time.monotonic() > self._ends:
            raise DeadlineExceeded(
                f"The job ran for more than {self._deadline_s:g} s, which is this server's limit. "
                "Ask for a smaller factor, or upscale a smaller image."
            )
        if self._stopping.is_set():
            raise WorkerStopping("This worker ends.")

    def step_done(self, step: int, steps: int) -> None:
        """Raises like `check`."""
        with suppress(RedisUnavailable):  # watchers miss a step; the lease says whether that matters
            self._claims.progress(self._job, step, steps)
        self.check()

    def wait(self, seconds: float) -> None:
        """Raises like `check`."""
        self._stopping.wait(seconds)
        self.check()

    def _renew(self) -> None:
        with suppress(RedisUnavailable):
            if self._claims.renew([self._job]):
                self._lost.set()

    def _run(self) -> None:
        while not self._done.wait(self._period_s):
            self._renew()
