"""Bounds on a request's body: how large it may be, and how long it may take to arrive.

Faults are raised where a route reads the body, so that a missing key is told first, and in the route's own form.
"""

import asyncio
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Digits; int() refuses to read thousands of them.
LONGEST_LENGTH = 18


# Ones of Starlette's, for FastAPI takes any other error while it reads a body for a malformed one.
class BodyTooLarge(HTTPException):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(413, f"The body is larger than {max_bytes} bytes, which is this server's limit.")


class BodyTooSlow(HTTPException):
    def __init__(self, max_s: float) -> None:
        super().__init__(408, f"The body was not whole after {max_s:g} seconds. Send it again, all at once.")


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int], max_s: float) -> None:
        """`larger`: bounds of the paths that take pictures, where they are above `max_bytes`."""
        self._app = app
        self._max_bytes = max_bytes
        self._larger = larger
        self._max_s = max_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not has_body(scope):
            await self._app(scope, receive, send)
            return
        max_bytes = max(self._max_bytes, self._larger.get(scope["path"], 0))
        body = _Arriving(receive, _announced(scope), max_bytes, self._max_s)

        async def send_and_close(message: Message) -> None:
            # Who is answered before the body is whole may go on sending, or say nothing more for ever.
            if message["type"] == "http.response.start" and not body.is_whole:
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, body.receive, send_and_close)


class _Arriving:
    """One request's body, as far as it has come."""

    def __init__(self, receive: Receive, announced: int, max_bytes: int, max_s: float) -> None:
        self.is_whole = False
        self._receive = receive
        self._announced = announced
        self._max_bytes = max_bytes
        self._max_s = max_s
        self._deadline = asyncio.get_running_loop().time() + max_s
        self._received = 0

    async def receive(self) -> Message:
        if self.is_whole:  # only the client's leaving is still to come
            return await self._receive()
        if self._announced > self._max_bytes:
            raise BodyTooLarge(self._max_bytes)
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow(self._max_s) from None
        self._received += len(message.get("body", b""))
        if self._received > self._max_bytes:
            raise BodyTooLarge(self._max_bytes)
        self.is_whole = not message.get("more_body", False)
        return message


def has_body(scope: Scope) -> bool:
    return scope["type"] == "http" and any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0][:LONGEST_LENGTH]) if lengths and lengths[0].isdigit() else 0
