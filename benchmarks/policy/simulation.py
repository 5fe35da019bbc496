"""Runs jobs through one simulated worker, forward by forward. No threads, no networks, no clock but its own."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.policy.curves import Curve
from benchmarks.policy.jobs import BULK, Job
from benchmarks.policy.line import Line
from benchmarks.policy.ways import Way


@dataclass(frozen=True)
class Run:
    jobs: Sequence[Job]
    forwards: int
    busy_s: float
    ended_s: float

    @property
    def images_a_forward(self) -> float:
        return sum(job.steps for job in self.jobs) / self.forwards


class Worker:
    """`lanes` jobs at most run; bulk jobs get all but `kept` of them. The rest wait in line."""

    def __init__(self, jobs: Sequence[Job], curve: Curve, way: Way, lanes: int, kept: int = 0) -> None:
        self._coming = deque(jobs)
        self._curve = curve
        self._way = way
        self._most = lanes
        self._most_bulk = lanes - kept
        self._line = Line()
        self._lanes: list[Job] = []
        self._now_s = 0.0
        self._forwards = 0
        self._busy_s = 0.0

    def run(self, jobs: Sequence[Job]) -> Run:
        while self._coming or self._lanes:
            self._admit()
            if self._lanes:
                self._serve(self._way.choose(self._lanes, self._now_s))
            else:
                self._now_s = self._coming[0].arrives_s
        return Run(jobs, self._forwards, self._busy_s, self._now_s)

    def _admit(self) -> None:
        while self._coming and self._coming[0].arrives_s <= self._now_s:
            self._line.put(self._coming.popleft())
        while len(self._lanes) < self._most and (job := self._line.take(bulk_allowed=self._has_room_for_bulk())):
            job.entered_s = self._now_s
            self._lanes.append(job)

    def _has_room_for_bulk(self) -> bool:
        return self._most_bulk == self._most or sum(job.priority == BULK for job in self._lanes) < self._most_bulk

    def _serve(self, batch: Sequence[Job]) -> None:
        taken_s = self._curve.of(len(batch))
        times = self._times(batch, taken_s)
        self._forwards += times
        self._busy_s += times * taken_s
        self._now_s += times * taken_s
        for job in batch:
            job.left -= times
            job.served = self._forwards
            if not job.left:
                job.finished_s = self._now_s
                self._lanes.remove(job)

    def _times(self, batch: Sequence[Job], taken_s: float) -> int:
        """How often this batch runs before another could: until one of its jobs ends, or a job comes to a free lane."""
        if not self._way.is_steady and len(batch) < len(self._lanes):
            return 1
        until_end = min(job.left for job in batch)
        if not self._coming or len(self._lanes) == self._most:
            return until_end
        until_arrival = math.ceil((self._coming[0].arrives_s - self._now_s) / taken_s)
        return max(1, min(until_end, until_arrival))


def one_by_one(jobs: Sequence[Job], curve: Curve) -> Run:
    """First come, first served, without batches."""
    return static_batches(jobs, curve, most=1)


def static_batches(jobs: Sequence[Job], curve: Curve, most: int) -> Run:
    """The oldest job, and those in line with as many steps as it has; nobody joins or leaves before all are done."""
    coming, line = deque(jobs), list[Job]()
    now_s, forwards, busy_s = 0.0, 0, 0.0
    while coming or line:
        if not line:
            now_s = max(now_s, coming[0].arrives_s)
        while coming and coming[0].arrives_s <= now_s:
            line.append(coming.popleft())
        batch = [job for job in line if job.steps == line[0].steps][:most]
        taken_s = batch[0].steps * curve.of(len(batch))
        now_s, busy_s, forwards = now_s + taken_s, busy_s + taken_s, forwards + batch[0].steps
        for job in batch:
            job.left, job.finished_s = 0, now_s
            line.remove(job)
    return Run(jobs, forwards, busy_s, now_s)
