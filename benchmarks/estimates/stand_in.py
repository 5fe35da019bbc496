"""A GPU worker that only takes the time that one would: real claims, leases, steps and ends; its forwards are pauses.

Which calls go into a forward is chosen as ever. So the error of an estimate shows, and not that of a busy machine.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.errors import JobTaken
from darkroom.job_store.claims import Claims
from darkroom.job_store.presence import Reporter
from darkroom.job_store.redis_client import connect
from darkroom.jobs import Job, StoredImage
from darkroom.request import Priority
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from gpu_worker.engine.call import Urgency
from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.engine.policy import next_batch
from storage.keys import image_key

URGENCY = {Priority.INTERACTIVE: 0, Priority.BULK: 1}
LOOK_S = 0.05
RENEW_S = 4.0


@dataclass(frozen=True)
class Pace:
    """A forward of n images takes `alone_s` × (fixed + (1 − fixed) × n)."""

    alone_s: float = 0.08
    fixed: float = 0.4

    def of(self, images: int) -> float:
        return self.alone_s * (self.fixed + (1 - self.fixed) * images)


@dataclass(eq=False)
class Lane:
    job: Job
    entered_s: float
    step: int = 0
    rows: int = 1
    fit: Fit = ("one shape",)

    def urgency(self, now_s: float) -> Urgency:
        left = 1 - self.step / self.job.request.steps
        return Urgency(URGENCY[self.job.request.priority], self.job.request.cost * left, now_s - self.entered_s)


class StandIn:
    def __init__(self, settings: Settings, model: str, most_in_forward: int, pace: Pace | None = None) -> None:
        self._settings = settings
        self._model = model
        self._most = most_in_forward
        self._pace = pace or Pace()
        self._client = connect(settings.redis_url)
        self._claims = Claims(self._client, settings)
        self._lanes: list[Lane] = []
        self._speed = 0.0
        self._renewed_s = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stand-in", daemon=True)
        self._presence = Reporter(self._client, WorkerInfo("stand-in", "gpu", [model], settings.lanes))

    def start(self) -> None:
        self._presence.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._presence.stop()
        self._client.close()

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stopped.is_set():
            self._take_in()
            self._renew()
            batch = next_batch(self._lanes, lambda _: self._most, time.monotonic(), self._speed)
            if not batch:
                due_s = time.monotonic() + LOOK_S
                self._stopped.wait(LOOK_S)
                continue
            # From when the last one was due, so that what the records take is not added.
            due_s = max(due_s, time.monotonic() - LOOK_S) + self._pace.of(len(batch))
            self._stopped.wait(max(0.0, due_s - time.monotonic()))
            self._speed = sum(lane.job.request.cost / lane.job.request.steps for lane in batch) / self._pace.of(
                len(batch)
            )
            self._step(batch)

    def _take_in(self) -> None:
        while len(self._lanes) < self._settings.lanes:
            bulk = sum(lane.job.request.priority is Priority.BULK for lane in self._lanes)
            has_room = bulk < self._settings.lanes - self._settings.interactive_lanes
            classes = tuple(Priority) if has_room else (Priority.INTERACTIVE,)
            job = self._claims.claim_next(self._model, "stand-in", classes)
            if job is None:
                return
            self._lanes.append(Lane(job, time.monotonic()))

    def _renew(self) -> None:
        """For those that pause."""
        if time.monotonic() > self._renewed_s + RENEW_S and self._lanes:
            self._claims.renew([lane.job for lane in self._lanes])
            self._renewed_s = time.monotonic()

    def _step(self, batch: Sequence[Lane]) -> None:
        for lane in batch:
            lane.step += 1
            try:
                self._claims.progress(lane.job, lane.step, lane.job.request.steps)
                if lane.step == lane.job.request.steps:
                    self._claims.succeed(lane.job, [_image(lane.job)])
            except JobTaken:
                lane.step = lane.job.request.steps
            if lane.step == lane.job.request.steps:
                self._lanes.remove(lane)


def _image(job: Job) -> StoredImage:
    return StoredImage(
        index=0, seed=job.request.seed, key=image_key(job.id, 0, "png"), content_type="image/png",
        width=job.request.width, height=job.request.height, bytes=1, sha256="0" * 64,
    )  # fmt: skip
