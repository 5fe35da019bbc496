"""Brings a drawn job's images to their client: encode, store, record. When, and how often, is the outbox's business."""

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from darkroom.errors import (
    BrokerUnavailable,
    DeliveryFailed,
    JobTaken,
    RedisUnavailable,
    StorageUnavailable,
    Unavailable,
    WorkerStopping,
)
from darkroom.job_store.claims import Claims
from darkroom.jobs import Job, StoredImage
from darkroom.messages.wakeups import Wakeups
from gpu_worker.delivery.backpressure import Backpressure
from gpu_worker.delivery.encoding import CONTENT_TYPES, encode
from gpu_worker.jobs.job_end import job_end
from gpu_worker.jobs.leases import Hold
from gpu_worker.jobs.progress import ProgressWriter
from storage.contract import Storage
from storage.keys import image_key

if TYPE_CHECKING:
    from PIL.Image import Image

log = structlog.get_logger()


@dataclass(eq=False)
class Parcel:
    """A job whose images are drawn, on its way to storage.

    Made by a lane. What keeps the job's lease goes along: `lease_stack`, closed when the job has ended.

    One thread at a time has it. `images` is what has yet to be encoded, `unsent` what is encoded and has yet to be
    stored; `packed` lists all that was encoded.
    """

    hold: Hold
    images: "list[Image]"
    lease_stack: ExitStack = field(default_factory=ExitStack)
    packed: list[StoredImage] = field(default_factory=list)
    unsent: deque[tuple[StoredImage, bytes]] = field(default_factory=deque)
    is_touched: bool = False
    """Something of it may be in storage; set by whoever stores."""
    patient_until_s: float = 0.0
    given_up: DeliveryFailed | None = None
    """Both set by the outbox."""

    @property
    def job(self) -> Job:
        return self.hold.job

    @property
    def drawn_bytes(self) -> int:
        return sum(image.width * image.height * len(image.getbands()) for image in self.images)

    def check(self) -> None:
        """Raises JobTaken, DeadlineExceeded, DeliveryFailed."""
        self.hold.check()
        if self.given_up:
            raise self.given_up

    def is_over(self) -> bool:
        return self.given_up is not None or self.hold.is_over()


class Uploader:
    def __init__(
        self,
        storage: Storage,
        claims: Claims,
        wakeups: Wakeups,
        progress: ProgressWriter,
        backpressure: Backpressure,
        stopping: threading.Event,
    ) -> None:
        self._storage = storage
        self._claims = claims
        self._wakeups = wakeups
        self._progress = progress
        self._backpressure = backpressure
        self._stopping = stopping

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def pack(self, parcel: Parcel) -> bool:
        """Encode the images. False: the job has ended instead."""
        with self._ending(parcel):
            for index, image in enumerate(parcel.images):
                self._check(parcel)
                data = encode(image, parcel.job, index)
                stored = _stored(parcel.job, index, data, (image.width, image.height))
                parcel.unsent.append((stored, data))
                self._backpressure.encoded(len(data))
                parcel.packed.append(stored)
            parcel.images.clear()
            return True
        return False

    def send(self, parcel: Parcel) -> bool:
        """Store what is not stored yet, and end the job as succeeded. False: it has ended otherwise.

        Raises Unavailable when this should be tried again: what was stored before stays so.
        """
        failure: Unavailable | None = None
        with self._ending(parcel):
            try:
                self._send(parcel)
            except Unavailable as error:
                failure = error
            else:
                return True
        if failure:
            raise failure
        return False

    def let_go(self, parcel: Parcel) -> None:
        """End a job that is not to be delivered any more."""
        with self._ending(parcel):
            self._check(parcel)

    def close(self, parcel: Parcel) -> None:
        """The job has ended: nothing is kept of it, and its lease is renewed no more."""
        self._backpressure.encoded(-sum(len(data) for _, data in parcel.unsent))
        parcel.unsent.clear()
        parcel.lease_stack.close()

    def _send(self, parcel: Parcel) -> None:
        while parcel.unsent:
            self._check(parcel)
            image, data = parcel.unsent[0]
            parcel.is_touched = True
            self._storage.put(image.key, data, content_type=image.content_type)
            parcel.unsent.popleft()
            self._backpressure.encoded(-len(data))
        # Watchers see the last step before the end.
        self._progress.flush(parcel.hold)
        self._claims.succeed(parcel.job, parcel.packed)
        log.info("job.finished", images=len(parcel.packed), bytes=sum(image.bytes for image in parcel.packed))
        self._follow_up(parcel.job)

    def _check(self, parcel: Parcel) -> None:
        """Raises JobTaken, DeadlineExceeded, DeliveryFailed, WorkerStopping."""
        parcel.check()
        if self.is_stopping:
            raise WorkerStopping("The grace period of this worker is over.")

    @contextmanager
    def _ending(self, parcel: Parcel) -> Iterator[None]:
        job = parcel.job
        with (
            structlog.contextvars.bound_contextvars(job_id=job.id, attempt=job.attempt),
            job_end(job, self._claims, self._wakeups),
        ):
            try:
                yield
            except JobTaken:
                if parcel.is_touched:
                    self._clean_up(job)
                raise

    def _clean_up(self, job: Job) -> None:
        """Images of a job that was canceled or deleted belong to nobody; those of a later attempt are its own."""
        try:
            if self._claims.is_ended_without_images(job.id):
                self._storage.delete_job(job.id)
        except (RedisUnavailable, StorageUnavailable) as error:
            log.warning("images.left_behind", job_id=job.id, reason=error.message)

    def _follow_up(self, job: Job) -> None:
        try:
            self._wakeups.follow_up(job.id)
        except BrokerUnavailable as error:
            log.warning("follow_up.not_published", reason=error.message)  # the housekeeper sends it again


def _stored(job: Job, index: int, data: bytes, size: tuple[int, int]) -> StoredImage:
    return StoredImage(
        index=index,
        seed=job.request.seed_of(index),
        key=image_key(job.id, index, job.request.output_format.value),
        content_type=CONTENT_TYPES[job.request.output_format],
        width=size[0],
        height=size[1],
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
