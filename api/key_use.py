"""When each API key was last used, so that an operator can tell which may go. `darkroom keys` lists it."""

import structlog

from api.services import Services
from darkroom.errors import RedisUnavailable
from darkroom.redis_client import redis_errors

log = structlog.get_logger()

KEY = "darkroom:keys_used"


def note_use(owner: str, services: Services) -> None:
    try:
        with redis_errors():
            services.redis.hset(KEY, owner, services.redis.time()[0])
    except RedisUnavailable:
        log.debug("key_use.not_noted")
