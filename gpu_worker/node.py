"""What one GPU worker process has to run jobs with: its models' lanes, and its ties to the job store and to storage."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from darkroom.job_store.claims import Claims
from darkroom.messages.wakeups import Wakeups
from gpu_worker.delivery.outbox import Outbox
from gpu_worker.jobs.lanes import Lanes
from gpu_worker.jobs.leases import LeaseKeeper
from gpu_worker.jobs.progress import ProgressWriter


@dataclass(frozen=True)
class Node:
    """Wired by life.py in a worker. `draining`: take no more jobs. `stopping`: the grace period is over."""

    name: str
    lanes: Mapping[str, Lanes]
    claims: Claims
    wakeups: Wakeups
    leases: LeaseKeeper
    progress: ProgressWriter
    outbox: Outbox
    draining: threading.Event
    stopping: threading.Event

    @property
    def is_leaving(self) -> bool:
        return self.draining.is_set() or self.stopping.is_set()

    @property
    def takes_jobs(self) -> bool:
        return bool(self.outbox.backpressure) and not self.is_leaving
