"""Keeps the leases of the jobs that this worker runs, from a thread of its own: a step may take long."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog

from darkroom.errors import DeadlineExceeded, JobTaken, RedisUnavailable
from darkroom.job_store.claims import Claims
from darkroom.jobs import Attempt, Job
from darkroom.settings import Settings

log = structlog.get_logger()


class Hold:
    """One job in this worker's hands."""

    def __init__(self, job: Job, deadline_s: float, clock: Callable[[], float]) -> None:
        self.job = job
        self._lost = threading.Event()
        self._deadline_s = deadline_s
        self._clock = clock
        self._ends = clock() + deadline_s

    def lose(self) -> None:
        self._lost.set()

    def is_over(self) -> bool:
        """Whether `check` would raise."""
        return self._lost.is_set() or self._clock() > self._ends

    def check(self) -> None:
        """Raises JobTaken once the lease is known to be lost or the job to be canceled, and DeadlineExceeded."""
        if self._lost.is_set():
            raise JobTaken(f"Attempt {self.job.attempt} lost job {self.job.id}.")
        if self._clock() > self._ends:
            raise DeadlineExceeded(
                f"The job ran for more than {self._deadline_s:g} s, which is this server's limit. "
                "Ask for fewer steps, a smaller size or fewer images."
            )


class LeaseKeeper:
    def __init__(self, claims: Claims, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._claims = claims
        self._deadline_s = settings.job_deadline_s
        self._clock = clock
        # Three renewals fit in a lease, so a single lost packet never costs a worker its job.
        self._period_s = settings.lease_s / 3
        self._holds: dict[Attempt, Hold] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=self._period_s)

    @contextmanager
    def hold(self, job: Job) -> Iterator[Hold]:
        """Begins with a renewal: an attempt counts once its worker has said that it has the job."""
        hold = Hold(job, self._deadline_s, self._clock)
        with self._lock:
            self._holds[job.held_as] = hold
        try:
            self._renew({job.held_as: hold})
            yield hold
        finally:
            with self._lock:
                del self._holds[job.held_as]

    def jobs(self) -> list[Job]:
        """Those that this worker holds now."""
        with self._lock:
            return [hold.job for hold in self._holds.values()]

    def renew(self) -> None:
        """Renew all leases once."""
        with self._lock:
            holds = dict(self._holds)
        if holds:
            self._renew(holds)

    def _renew(self, holds: Mapping[Attempt, Hold]) -> None:
        try:
            lost = self._claims.renew([hold.job for hold in holds.values()])
        except RedisUnavailable as error:
            log.warning("leases.renewal_failed", reason=error.message)
            return
        for attempt in lost:
            holds[attempt].lose()

    def _run(self) -> None:
        while not self._stopped.wait(self._period_s):
            try:
                self.renew()
            except Exception:
                # Without this thread, every job of this worker would be lost and made again elsewhere.
                log.exception("leases.renewal_failed")
