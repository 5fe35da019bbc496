"""The headers `RateLimit-Policy` and `RateLimit`, as the IETF's draft has them (httpapi-ratelimit-headers, version 10).

A route says what is left; the middleware here puts it into the answer, whatever that turns out to be.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from darkroom.access.access import Limits
from darkroom.job_store.access.request_rate import WINDOW_S

DAY_S = 86_400
STATE = "rate_limits"


@dataclass
class RateLimits:
    """Of one request: filled in as it goes."""

    limits: Limits = field(default_factory=Limits)
    left: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By policy: what is left, and in how many seconds there is more."""

    def headers(self) -> Iterator[tuple[str, str]]:
        if policies := list(self._policies()):
            yield "RateLimit-Policy", ", ".join(policies)
        if self.left:
            yield "RateLimit", ", ".join(f'"{name}";r={left};t={more_s}' for name, (left, more_s) in self.left.items())

    def _policies(self) -> Iterator[str]:
        if self.limits.per_minute:
            yield f'"minute";q={self.limits.per_minute};w={WINDOW_S}'
        if self.limits.daily_megapixel_steps:
            yield f'"day";q={int(self.limits.daily_megapixel_steps)};w={DAY_S};qu="megapixel-steps"'


def rate_limits_of(scope: MutableMapping[str, Any]) -> RateLimits:
    found: RateLimits = scope.setdefault("state", {}).setdefault(STATE, RateLimits())
    return found


class RateLimitHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = rate_limits_of(scope)

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name, value in known.headers():
                    MutableHeaders(scope=message)[name] = value
            await send(message)

        await self._app(scope, receive, send_with_limits)
