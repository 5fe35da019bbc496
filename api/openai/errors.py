"""Errors under /v1 as OpenAI's clients know them: made of our problem documents, at the application's very edge.

So whatever refuses a request, and wherever, has one form here and one code everywhere.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_codes import ERROR_CODES, HTTP_STATUS, with_those_of_keys
from api.problems import MEDIA_TYPE

PREFIX = "/v1/"
SCHEMA = "#/components/schemas/OpenAIError"
# Headers of a problem document that are of its own form.
ITS_OWN = frozenset({b"content-type", b"content-length"})


EXAMPLE: dict[str, Any] = {
    "error": {
        "message": "steps is 0; choose 1 to 100.",
        "type": "invalid_request_error",
        "param": "steps",
        "code": "steps_out_of_range",
    }
}


class ErrorView(BaseModel):
    message: str
    type: str
    param: str | None
    code: str


class OpenAIError(BaseModel):
    """What the official clients make their exceptions of. `code` is the same as in our problem documents."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    error: ErrorView


def error_object(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return OpenAIError(error=ErrorView(message=message, type=kind, param=param, code=code)).model_dump()


def retry_advice(status: int) -> dict[str, str]:
    """Clients repeat a 409 by themselves; ours says the same to every repetition."""
    return {"x-should-retry": "false"} if status == 409 else {}


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For a route's documentation, as `api.problems.responses`."""
    by_status: dict[int | str, list[str]] = {}
    for code in with_those_of_keys(codes):
        by_status.setdefault(HTTP_STATUS[code], []).append(code)
    return {
        status: {
            "description": "`code`: " + ", ".join(f"`{code}`" for code in known),
            "content": {
                "application/json": {
                    "schema": {"$ref": SCHEMA},
                    "examples": {
                        code: {"value": error_object(int(status), code, ERROR_CODES[code].meaning)} for code in known
                    },
                }
            },
        }
        for status, known in by_status.items()
    }


class OpenAIErrors:
    """ASGI middleware: turns problem documents into error objects, under /v1 alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def translating(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await _translated(start, json.loads(body))(scope, receive, send)

        await self._app(scope, receive, translating)


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type") == MEDIA_TYPE


def _translated(start: Message, problem: Mapping[str, Any]) -> JSONResponse:
    status = int(problem["status"])
    faults = problem.get("errors") or [{}]
    answer = JSONResponse(
        error_object(status, problem["code"], problem["detail"], faults[0].get("field")), status, retry_advice(status)
    )
    answer.raw_headers += [pair for pair in start["headers"] if pair[0].lower() not in ITS_OWN]
    return answer
