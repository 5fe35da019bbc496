"""What a wake-up of the upscaler's queue leads to: claim the next job, make its images larger, store them, end it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

import structlog

from cpu_worker.upscaling.delivery import deliver
from cpu_worker.upscaling.files import read
from cpu_worker.upscaling.hold import Hold
from cpu_worker.upscaling.outcome import Outcome, TaskEnd
from cpu_worker.upscaling.tiles import Enlarge, count_of, upscaled
from darkroom.errors import (
    BrokerUnavailable,
    GenerationFailed,
    InputMissing,
    JobError,
    JobTaken,
    ObjectMissing,
    OutOfMemory,
    Unavailable,
    UnknownJob,
    WorkerStopping,
)
from darkroom.job_store.claims import Claims
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job, StoredImage
from darkroom.messages.wakeups import Wakeups
from darkroom.outages.retry_budget import retrying
from darkroom.settings import Settings
from darkroom.upscaling import UPSCALER
from storage.contract import Storage

log = structlog.get_logger()

# One at a time: each takes all cores. A wake-up that finds one under way is handed on after this, for its thread is
# needed for thumbnails too.
PATIENCE_S = 1.0
# For the write that must not be lost because Redis restarts just now.
RECORD_FOR_S = 60


@cache
def load_network(factor: int) -> Enlarge:
    from cpu_worker.upscaling.network import Network

    return Network(factor)


class Upscaler:
    """`stopping` is for whoever ends this worker: a job under way goes back in line."""

    def __init__(
        self,
        claims: Claims,
        store: JobStore,
        storage: Storage,
        wakeups: Wakeups,
        settings: Settings,
        load: Callable[[int], Enlarge] = load_network,
    ) -> None:
        self.stopping = threading.Event()
        self._claims = claims
        self._store = store
        self._storage = storage
        self._wakeups = wakeups
        self._settings = settings
        self._load = load
        self._free = threading.Lock()

    def upscale_next(self, worker: str, patience_s: float = PATIENCE_S) -> TaskEnd:
        """One job at most. Safe to run twice. Raises RedisUnavailable where none was claimed."""
        if not self._free.acquire(timeout=patience_s):
            return TaskEnd(Outcome.NOT_NOW)
        try:
            if self.stopping.is_set():
                return TaskEnd(Outcome.NOT_NOW)
            if self._claims.take_surplus(UPSCALER) or not (job := self._claims.claim_next(UPSCALER, worker)):
                return TaskEnd(Outcome.NO_JOB)
            return self._end_of(job)
        finally:
            self._free.release()

    def _end_of(self, job: Job) -> TaskEnd:
        with (
            structlog.contextvars.bound_contextvars(job_id=job.id, attempt=job.attempt),
            self._ending(job) as end,
            Hold(job, self._claims, self._settings, self.stopping) as hold,
        ):
            log.info("job.started", model=UPSCALER)
            self._make(job, hold)
        return end

    def _make(self, job: Job, hold: Hold) -> None:
        try:
            images = self._upscale(job, hold)
            self._claims.succeed(job, images)
        except JobTaken:
            self._clean_up(job)
            raise
        log.info("job.finished", images=len(images), bytes=sum(image.bytes for image in images))
        with suppress(BrokerUnavailable):  # the housekeeper sends it again
            self._wakeups.follow_up(job.id)

    def _upscale(self, job: Job, hold: Hold) -> list[StoredImage]:
        factor = job.request.upscale
        assert factor is not None, "a job of the upscaler's line says how much larger"
        sources = [self._source(image_id) for image_id in job.request.image]
        parts = [count_of(source.width, source.height) for source in sources]
        made: list[StoredImage] = []
        steps = Steps(hold, sum(parts))
        for index, source in enumerate(sources):
            pixels, said = read(self._file(source))
            larger = upscaled(pixels, factor, self._load(factor), steps.done)
            patience_s = self._settings.delivery_patience_s
            made.append(deliver(larger, said, index, job, hold, self._storage, patience_s))
        return made

    def _source(self, image_id: str) -> StoredImage:
        """Raises InputMissing, Unavailable."""
        job_id, _, index = image_id.rpartition("-")
        with suppress(UnknownJob):
            for image in retrying(RECORD_FOR_S)(self._store.get, job_id).images:
                if str(image.index) == index:
                    return image
        raise InputMissing(f"The image {image_id} was deleted before it could be upscaled.")

    def _file(self, source: StoredImage) -> bytes:
        try:
            return retrying(RECORD_FOR_S)(self._storage.get, source.key)
        except ObjectMissing as error:
            raise InputMissing("The image was deleted before it could be upscaled.") from error

    def _clean_up(self, job: Job) -> None:
        """Images of a job that was canceled or deleted belong to nobody; those of a later attempt are its own."""
        try:
            if self._claims.is_ended_without_images(job.id):
                self._storage.delete_job(job.id)
        except Unavailable as error:
            log.warning("images.left_behind", reason=error.message)  # the housekeeper removes them

    @contextmanager
    def _ending(self, job: Job) -> Iterator[TaskEnd]:
        """What is raised in this context ends the job, and goes no further. What is given says then how it ended."""
        end = TaskEnd()
        try:
            with self._recording(job, end):
                yield end
        except Unavailable as error:
            # Nothing can be recorded now. The lease runs out and the job goes back in line.
            log.error("job.left", code=error.code, reason=error.message)
            end.is_(Outcome.PUT_BACK, error.code)
        except JobTaken as taken:
            log.info("job.taken", reason=taken.message)
            end.is_(Outcome.TAKEN, taken.code)

    @contextmanager
    def _recording(self, job: Job, end: TaskEnd) -> Iterator[None]:
        try:
            yield
        except (JobTaken, Unavailable):
            raise
        except WorkerStopping as stopping:
            self._claims.give_back(job)
            end.is_(Outcome.PUT_BACK, stopping.code)
            self._wake(job)
        except JobError as error:
            self._fail(job, error, end)
        except MemoryError:
            size = f"{job.request.width}x{job.request.height}"
            self._fail(job, OutOfMemory(f"This server has not the memory for {size}. Choose a smaller factor."), end)
        except Exception as error:
            log.exception("upscaling.failed")
            unexplained = GenerationFailed(
                f"The image could not be upscaled ({type(error).__name__}). Ask the operator."
            )
            state = retrying(RECORD_FOR_S)(self._claims.try_again, job, unexplained)
            outcomes = {"failed": Outcome.FAILED, "queued": Outcome.PUT_BACK}
            end.is_(outcomes.get(state, Outcome.TAKEN), unexplained.code)
            if state == "queued":
                self._wake(job)

    def _fail(self, job: Job, error: JobError, end: TaskEnd) -> None:
        log.error("job.failed", code=error.code, reason=error.message)
        retrying(RECORD_FOR_S)(self._claims.fail, job, error)
        end.is_(Outcome.FAILED, error.code)

    def _wake(self, job: Job) -> None:
        with suppress(BrokerUnavailable):  # the housekeeper sends it again
            self._wakeups.wake(UPSCALER, job.id)


class Steps:
    """Parts of images are a job's steps."""

    def __init__(self, hold: Hold, count: int) -> None:
        self._hold = hold
        self._count = count
        self._done = 0

    def done(self) -> None:
        """Raises JobTaken, DeadlineExceeded, WorkerStopping."""
        self._done += 1
        self._hold.step_done(self._done, self._count)
