"""The `Prefer: wait=N` header (RFC 7240): a client that would rather wait than poll."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.concurrency import run_in_threadpool

from api.services import Services
from darkroom.jobs import Job

LONGEST_WAIT_S = 60
# All that is read of the header: what is behind it cannot be meant seriously.
LONGEST_HEADER = 1000

WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
QUOTED = r'"(?:[^"\\]|\\.)*"'
# What stands between commas, save those within quotes.
PREFERENCE = re.compile(rf'(?:[^",]|{QUOTED})+')
NAME_AND_VALUE = re.compile(rf"\s*({WORD})\s*(?:=\s*({WORD}|{QUOTED})?\s*)?(?:;.*)?$", re.DOTALL)


def wait_of(headers: Iterable[str]) -> int:
    """Seconds a client prefers to wait, at most LONGEST_WAIT_S; what cannot be read is ignored, as the RFC says."""
    # Of a preference that is named twice, the first counts.
    value = next((value for name, value in _preferences(", ".join(headers)) if name == "wait"), "")
    return min(int(value), LONGEST_WAIT_S) if value.isascii() and value.isdecimal() else 0


def _preferences(header: str) -> Iterator[tuple[str, str]]:
    """Names, in small letters, and values, without their quotes. Parameters are left out: `wait` has none."""
    for preference in PREFERENCE.findall(header[:LONGEST_HEADER]):
        if found := NAME_AND_VALUE.match(preference):
            yield found[1].lower(), re.sub(r"\\(.)", r"\1", (found[2] or "").strip('"'))


def _preferred_wait_s(
    request: Request,
    prefer: Annotated[  # noqa: ARG001 - for the documentation; there may be several such headers
        str | None,
        Header(description="`wait=N`: answer only when the job is finished, or after N seconds (60 at most)."),
    ] = None,
) -> int:
    return wait_of(request.headers.getlist("prefer"))


PreferredWait = Annotated[int, Depends(_preferred_wait_s)]


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
