"""Refuses bodies that are too large before they are read, and while they are, where their length was not said."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem


class BodyTooLarge(Exception):
    pass


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._announced(scope) > self._max_bytes:
            await self._refuse(scope, receive, send)
        else:
            try:
                await self._app(scope, self._counting(receive), send)
            except BodyTooLarge:
                await self._refuse(scope, receive, send)

    def _announced(self, scope: Scope) -> int:
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        return int(lengths[0]) if lengths and lengths[0].isdigit() else 0

    def _counting(self, receive: Receive) -> Receive:
        received = 0

        async def receive_and_count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise BodyTooLarge
            return message

        return receive_and_count

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(
            "body_too_large", f"The body is larger than {self._max_bytes} bytes, which is this server's limit."
        )
        await response(scope, receive, send)
