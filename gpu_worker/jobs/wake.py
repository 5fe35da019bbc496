"""Wake-ups that a GPU worker sends: for a job that it puts back, and for those that it has no room for."""

from collections.abc import Iterable

import structlog

from darkroom.errors import BrokerUnavailable, RedisUnavailable
from darkroom.job_store.claims import Claims
from darkroom.jobs import Job
from darkroom.messages.wakeups import Wakeups

log = structlog.get_logger()

# Wake-ups for one model at once; the housekeeper sends what is missing.
MOST = 100


def wake_for(job: Job, wakeups: Wakeups) -> None:
    try:
        wakeups.wake(job.request.model, job.id)
    except BrokerUnavailable as error:
        log.warning("wakeup.not_published", reason=error.message)  # the housekeeper tops it up


def wake_for_waiting(models: Iterable[str], claims: Claims, wakeups: Wakeups) -> None:
    """For the jobs that wait: their wake-ups may have come here, while lanes were busy or closing."""
    try:
        for model in models:
            for _ in range(min(claims.waiting(model), MOST)):
                wakeups.wake(model)
    except (RedisUnavailable, BrokerUnavailable) as error:
        log.warning("wakeup.not_published", reason=error.message)  # the housekeeper tops it up
