"""Refuses bodies that are too large before they are read, and while they are, where their length was not said."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

# Digits; int() refuses to read thousands of them.
LONGEST_LENGTH = 18


class BodyTooLarge(HTTPException):
    """One of Starlette's, for FastAPI takes any other error while it reads a body for a malformed one."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(413, f"The body is larger than {max_bytes} bytes, which is this server's limit.")


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._announced(scope) > self._max_bytes:
            refusal = problem("body_too_large", BodyTooLarge(self._max_bytes).detail)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, self._counting(receive), send)

    def _announced(self, scope: Scope) -> int:
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        return int(lengths[0][:LONGEST_LENGTH]) if lengths and lengths[0].isdigit() else 0

    def _counting(self, receive: Receive) -> Receive:
        received = 0

        async def receive_and_count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise BodyTooLarge(self._max_bytes)
            return message

        return receive_and_count
