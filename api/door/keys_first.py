"""Reads no body of whoever has no key: neither its size nor its faults are looked at before the key is.

Routes that take bodies ask for keys; FastAPI would read and parse the body before it calls what checks them.
"""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.door.body_limit import has_body
from api.keys import ASK_FOR_KEY, CHALLENGE, ApiKeys


class NoKey(HTTPException):
    """One of Starlette's, as in `body_limit.py`."""

    def __init__(self) -> None:
        super().__init__(401, ASK_FOR_KEY, dict(CHALLENGE))


class KeysFirst:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stranger = has_body(scope) and self._keys.owner_by(Headers(scope=scope).get("authorization")) is None
        await self._app(scope, _refuse if is_stranger else receive, send)


async def _refuse() -> Message:
    raise NoKey
