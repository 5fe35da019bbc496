"""The `Prefer: wait=N` header (RFC 7240, section 4.3): a client that would rather wait than poll."""

import asyncio
import re

from fastapi.concurrency import run_in_threadpool

from api.services import Services
from darkroom.jobs import Job

LONGEST_WAIT_S = 60
WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,6})\"?(?:$|[,;\s])", re.IGNORECASE)


def wait_of(prefer: str | None) -> int:
    """Seconds a client prefers to wait, at most LONGEST_WAIT_S; what cannot be read is ignored, as the RFC says."""
    found = WAIT.search(prefer or "")
    return min(int(found.group(1)), LONGEST_WAIT_S) if found else 0


async def wait_until_final(job: Job, wait_s: float, services: Services) -> Job:
    """The job once it is final, or as it stands when the time is over. Raises RedisUnavailable, UnknownJob."""
    try:
        with services.feed.watch(job.id, only_the_end=True) as ended:
            async with asyncio.timeout(wait_s):
                while not job.state.is_final:
                    await services.feed.wait(ended)
                    job = await run_in_threadpool(services.store.get, job.id)
    except TimeoutError:
        pass
    return job
