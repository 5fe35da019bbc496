"""Brings finished images to their client: encode, store, record. Storage that is down costs patience, not images."""

import hashlib
import threading
from typing import TYPE_CHECKING

import structlog

from darkroom.claims import Claims
from darkroom.errors import (
    BrokerUnavailable,
    DeliveryFailed,
    JobTaken,
    RedisUnavailable,
    StorageUnavailable,
    WorkerStopping,
)
from darkroom.jobs import Job, StoredImage
from darkroom.patience import patiently
from darkroom.settings import Settings
from darkroom.wakeups import Wakeups
from gpu_worker.encoding import CONTENT_TYPES, encode
from gpu_worker.leases import Hold
from storage.contract import Storage
from storage.keys import image_key

if TYPE_CHECKING:
    from PIL.Image import Image

log = structlog.get_logger()

# For the one write that makes it all count, should Redis restart just now.
RECORD_FOR_S = 60


class Delivery:
    def __init__(
        self, storage: Storage, claims: Claims, wakeups: Wakeups, settings: Settings, stopping: threading.Event
    ) -> None:
        self._storage = storage
        self._claims = claims
        self._wakeups = wakeups
        self._patience_s = settings.delivery_patience_s
        self._stopping = stopping

    def deliver(self, job: Job, images: "list[Image]", hold: Hold) -> list[StoredImage]:
        """Store the images and end the job as succeeded, as one result that appears once.

        Raises JobTaken, DeliveryFailed, WorkerStopping, RedisUnavailable.
        """
        try:
            stored = [self._store(job, index, image, hold) for index, image in enumerate(images)]
            patiently(RECORD_FOR_S)(self._claims.succeed, job, stored)
        except JobTaken:
            self._clean_up(job)
            raise
        self._follow_up(job)
        return stored

    def _store(self, job: Job, index: int, image: "Image", hold: Hold) -> StoredImage:
        data = encode(image, job, index)
        key = image_key(job.id, index, job.request.output_format.value)
        content_type = CONTENT_TYPES[job.request.output_format]
        self._put(key, data, content_type, hold)
        return StoredImage(
            index=index,
            seed=job.request.seed_of(index),
            key=key,
            content_type=content_type,
            width=image.width,
            height=image.height,
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def _put(self, key: str, data: bytes, content_type: str, hold: Hold) -> None:
        def put() -> None:
            hold.check()
            self._storage.put(key, data, content_type=content_type)

        try:
            patiently(self._patience_s, stop=self._stopping)(put)
        except StorageUnavailable as error:
            if self._stopping.is_set():
                raise WorkerStopping("Storage is down, and this worker shall stop.") from error
            raise DeliveryFailed(
                f"The images were made, but storage took none of them for {self._patience_s:g} s: {error.message}"
            ) from error

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
