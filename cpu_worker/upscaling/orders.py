"""Puts the jobs in line that upscale what others made, where their requests asked for it."""

from darkroom.errors import UnknownJob
from darkroom.inputs import Task
from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from darkroom.messages.wakeups import Wakeups
from darkroom.upscaling import UPSCALER, upscale_job_of, upscale_request


class UpscaleOrders:
    def __init__(self, store: JobStore, wakeups: Wakeups) -> None:
        self._store = store
        self._wakeups = wakeups

    def place(self, job_id: str) -> None:
        """For a job that has succeeded. Safe to run twice. Raises RedisUnavailable, BrokerUnavailable."""
        try:
            job = self._store.get(job_id)
        except UnknownJob:
            return
        factor = job.request.upscale
        if factor is None or job.request.task is Task.UPSCALE or job.state is not JobState.SUCCEEDED:
            return
        request = upscale_request(job, job.images, factor)
        # There was room for it when its parent was taken in.
        order = self._store.enqueue(job.owner, request, job_id=upscale_job_of(job.id), is_bounded=False).job
        if order.state is JobState.QUEUED:
            self._wakeups.wake(UPSCALER, order.id)
