"""Brings an upscaled image to storage, and keeps trying while storage is away."""

import hashlib
import time

import structlog

from cpu_worker.upscaling.files import written
from cpu_worker.upscaling.hold import Hold
from cpu_worker.upscaling.tiles import Pixels
from darkroom.errors import DeliveryFailed, StorageUnavailable
from darkroom.jobs import Job, StoredImage
from storage.contract import Storage
from storage.keys import content_type, image_key

log = structlog.get_logger()

AGAIN_S = 2.0


def deliver(
    pixels: Pixels, said: dict[str, object], index: int, job: Job, hold: Hold, storage: Storage, patience_s: float
) -> StoredImage:
    """Raises DeliveryFailed, and whatever `hold` raises."""
    data = written(pixels, said, job)
    hold.check()
    key = image_key(job.id, index, job.request.output_format.value)
    _put(key, data, hold, storage, time.monotonic() + patience_s)
    height, width, _ = pixels.shape
    return StoredImage(
        index=index,
        seed=job.request.seed_of(index),
        key=key,
        content_type=content_type(key),
        width=width,
        height=height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _put(key: str, data: bytes, hold: Hold, storage: Storage, patient_until_s: float) -> None:
    while True:
        try:
            return storage.put(key, data, content_type=content_type(key))
        except StorageUnavailable as error:
            if time.monotonic() >= patient_until_s:
                raise DeliveryFailed(f"The image was made, but could not be delivered: {error.message}") from error
            log.warning("delivery.put_off", code=error.code, reason=error.message)
        hold.wait(AGAIN_S)
