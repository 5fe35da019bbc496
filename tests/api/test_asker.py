"""Who asks is told what is left, and what was accepted stays accepted."""

from types import SimpleNamespace
from typing import Any

from api.admission.asker import Asker
from api.admission.rate_limits import RateLimits
from darkroom.access.access import Access, Limits
from darkroom.errors import RedisUnavailable


class Gone:
    def today(self, owner: str) -> float:
        raise RedisUnavailable("Redis does not answer.")


def test_what_is_left_today_is_not_told_when_redis_goes_and_the_accepted_job_stays_accepted() -> None:
    asker = Asker(Access(name="alice", limits=Limits(daily_megapixel_steps=100)), RateLimits())
    services: Any = SimpleNamespace(usage=Gone())

    asker.tell_what_is_left_today(services)

    assert asker.rate_limits.left == {}
