"""Notes that an API key was used, after the answer is out. `darkroom keys` lists it."""

import structlog

from api.services import Services
from darkroom.errors import RedisUnavailable
from darkroom.job_store import key_use

log = structlog.get_logger()


def note_use(owner: str, services: Services) -> None:
    try:
        key_use.note_use(services.redis, owner)
    except RedisUnavailable:
        log.debug("key_use.not_noted")
