"""A worker that paints every job one plain colour, in a thread of its own: all that a client can see of a real one."""

import base64
import hashlib
from io import BytesIO
from threading import Event, Thread

from PIL import Image

from darkroom.job_store.claims import Claims
from darkroom.jobs import Job, StoredImage
from storage.contract import Storage
from storage.keys import image_key

COLOUR = (200, 30, 40)


def picture(file_format: str, width: int, height: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), COLOUR).save(buffer, file_format)
    return buffer.getvalue()


def preview(width: int = 64, height: int = 48) -> str:
    """As a worker shows it."""
    return "data:image/webp;base64," + base64.b64encode(picture("webp", width, height)).decode()


class Painter:
    def __init__(self, claims: Claims, storage: Storage) -> None:
        self.claims = claims
        self._storage = storage
        self._stopped = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=10)

    def claim(self) -> Job | None:
        return self.claims.claim_next("minilab", "painter")

    def finish(self, job: Job) -> None:
        self.claims.succeed(job, [self._painted(job, index) for index in range(job.request.n)])

    def _run(self) -> None:
        # Not asked for by a wake-up, so it looks by itself.
        while not self._stopped.wait(0.02):
            while job := self.claim():
                self.finish(job)

    def _painted(self, job: Job, index: int) -> StoredImage:
        request = job.request
        file_format = request.output_format.value
        key = image_key(job.id, index, file_format)
        pixels = picture(file_format, request.width, request.height)
        self._storage.put(key, pixels, content_type=f"image/{file_format}")
        return StoredImage(
            index=index,
            seed=request.seed_of(index),
            key=key,
            content_type=f"image/{file_format}",
            width=request.width,
            height=request.height,
            bytes=len(pixels),
            sha256=hashlib.sha256(pixels).hexdigest(),
        )
