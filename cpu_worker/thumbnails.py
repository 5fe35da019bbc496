"""What follows a finished job: small WebP pictures of its images, for lists and pages."""

import hashlib
from io import BytesIO

import structlog
from PIL import Image

from darkroom.errors import ObjectMissing, UnknownJob
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import JobState, StoredImage, StoredObject
from storage.contract import Storage
from storage.keys import thumbnail_key

log = structlog.get_logger()

LONGEST_SIDE = 256
CONTENT_TYPE = "image/webp"
# What Pillow raises for a file that is no picture, or only a part of one.
DAMAGED = (OSError, SyntaxError)


class Thumbnailer:
    def __init__(self, store: JobStore, upkeep: Upkeep, storage: Storage) -> None:
        self._store = store
        self._upkeep = upkeep
        self._storage = storage

    def follow_up(self, job_id: str) -> None:
        """Make a job's thumbnails. Safe to run twice. Raises RedisUnavailable, StorageUnavailable."""
        try:
            job = self._store.get(job_id)
            images = [self._with_thumbnail(job_id, image) for image in job.images]
        except (UnknownJob, ObjectMissing):
            log.info("thumbnails.job_is_gone", job_id=job_id)
            self._upkeep.drop_followup(job_id)
            return
        if job.state is JobState.SUCCEEDED and not self._upkeep.followed_up(job_id, images):
            self._storage.delete([image.thumbnail.key for image in images if image.thumbnail])

    def _with_thumbnail(self, job_id: str, image: StoredImage) -> StoredImage:
        key = thumbnail_key(job_id, image.index)
        try:
            data, size = shrink(self._storage.get(image.key))
        except DAMAGED as error:
            log.error("thumbnail.not_made", job_id=job_id, image=image.index, reason=type(error).__name__)
            return image
        self._storage.put(key, data, content_type=CONTENT_TYPE)
        thumbnail = StoredObject(
            key=key,
            content_type=CONTENT_TYPE,
            width=size[0],
            height=size[1],
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        return image.model_copy(update={"thumbnail": thumbnail})


def shrink(data: bytes, longest_side: int = LONGEST_SIDE) -> tuple[bytes, tuple[int, int]]:
    """An image file as WebP of at most this many pixels a side, and its size. A smaller one keeps its size."""
    with Image.open(BytesIO(data)) as image:
        small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "webp", quality=80)
    return buffer.getvalue(), small.size
