"""Who asks for images: counted at the door of each route that makes jobs, before anything else is looked at."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.admission.rate_limits import DAY_S, RateLimits, rate_limits_of
from api.keys import CallerDep
from api.services import Services, ServicesDep
from darkroom.access.access import Access
from darkroom.errors import RateLimited, RedisUnavailable


@dataclass(frozen=True)
class Asker:
    access: Access
    rate_limits: RateLimits

    @property
    def name(self) -> str:
        return self.access.name

    def tell_what_is_left_today(self, services: Services) -> None:
        """Where there is a bound, and Redis still answers: the job was accepted, whatever comes after."""
        most = self.access.limits.daily_megapixel_steps
        if most:
            with suppress(RedisUnavailable):
                left = max(0, int(most - services.usage.today(self.name)))
                self.rate_limits.left["day"] = left, DAY_S - int(time.time()) % DAY_S


async def _asker(request: Request, caller: CallerDep, services: ServicesDep) -> Asker:
    """Raises RateLimited, RedisUnavailable."""
    rate_limits = rate_limits_of(request.scope)
    rate_limits.limits = caller.limits
    if most := caller.limits.per_minute:
        try:
            window = await run_in_threadpool(services.request_rate.take, caller.name, most)
        except RateLimited as error:
            rate_limits.left["minute"] = 0, error.retry_after_s
            raise
        rate_limits.left["minute"] = window.left, window.reset_s
    return Asker(caller, rate_limits)


AskerDep = Annotated[Asker, Depends(_asker)]
