"""A worker without a model: it claims, steps and succeeds by hand."""

import hashlib

from darkroom.job_store.claims import Claims
from darkroom.job_store.presence import report
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job, StoredImage, StoredObject
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from storage.contract import Storage
from storage.keys import image_key, thumbnail_key

PIXELS = b"\x89PNG\r\n\x1a\n" + b"a picture of one hundred bytes, as far as anybody here can tell from outside " * 2


class Worker:
    def __init__(self, client: Client, settings: Settings, storage: Storage, pixels: bytes = PIXELS) -> None:
        self.claims = Claims(client, settings)
        self._store = JobStore(client, settings)
        self._upkeep = Upkeep(client, settings)
        self._storage = storage
        self._redis = client
        self._pixels = pixels

    def sign_on(self, lanes: int = 1) -> None:
        report(self._redis, WorkerInfo("gpu-1", "gpu", ["minilab"], lanes))

    def claim(self) -> Job:
        job = self.claims.claim_next("minilab", "gpu-1")
        assert job is not None
        return job

    def step(self, job: Job, *steps: int) -> None:
        for step in steps:
            self.claims.progress(job, step, job.request.steps)

    def finish(self, job: Job) -> None:
        images = [self._draw(job, index) for index in range(job.request.n)]
        self.claims.succeed(job, images)

    def make_next(self) -> Job:
        """The next job of the line from its start to its end."""
        job = self.claim()
        self.finish(job)
        return job

    def add_thumbnail(self, job: Job) -> None:
        """As a CPU worker does, later."""
        key = thumbnail_key(job.id, 0)
        self._storage.put(key, b"small", content_type="image/webp")
        small = StoredObject(key=key, content_type="image/webp", width=64, height=64, bytes=5, sha256="00")
        [image] = self._store.get(job.id).images
        self._upkeep.followed_up(job.id, [image.model_copy(update={"thumbnail": small})])

    def now_ms(self) -> int:
        """By the clock that events are stamped with."""
        seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    def _draw(self, job: Job, index: int) -> StoredImage:
        key = image_key(job.id, index, "png")
        self._storage.put(key, self._pixels, content_type="image/png")
        return StoredImage(
            index=index,
            seed=job.request.seed_of(index),
            key=key,
            content_type="image/png",
            width=job.request.width,
            height=job.request.height,
            bytes=len(self._pixels),
            sha256=hashlib.sha256(self._pixels).hexdigest(),
        )
