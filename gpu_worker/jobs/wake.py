"""The wake-up that a GPU worker sends for a job that it puts back."""

import structlog

from darkroom.errors import BrokerUnavailable
from darkroom.jobs import Job
from darkroom.messages.wakeups import Wakeups

log = structlog.get_logger()


def wake_for(job: Job, wakeups: Wakeups) -> None:
    try:
        wakeups.wake(job.request.model, job.id)
    except BrokerUnavailable as error:
        log.warning("wakeup.not_published", reason=error.message)  # the housekeeper tops it up
