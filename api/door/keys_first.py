"""Reads no body of whoever has no key: neither its size nor its faults are looked at before the key is.

Routes that take bodies ask for keys; FastAPI would read and parse the body before it calls what checks them.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.door.body_limit import has_body
from api.keys import Callers
from api.problems import WhileReading
from darkroom.errors import DarkroomError


class KeysFirst:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(scope) if has_body(scope) else None

        async def refuse() -> Message:
            assert refusal
            raise WhileReading(refusal)

        await self._app(scope, refuse if refusal else receive, send)

    async def _refusal(self, scope: Scope) -> DarkroomError | None:
        try:
            await self._callers.by(Headers(scope=scope).get("authorization"))
        except DarkroomError as error:
            return error
        return None
