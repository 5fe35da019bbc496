"""Errors as RFC 9457 problem documents, each with a stable `code`."""

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from api.error_codes import ERROR_CODES, HTTP_STATUS, with_those_of_keys
from darkroom.errors import DarkroomError, Fault, InvalidRequest, LimitReached, Unavailable

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
SCHEMA = "#/components/schemas/Problem"
# More faults than this help nobody.
MOST_FAULTS = 20


class FaultView(BaseModel):
    field: str
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457. Programs look at `code`; people read `detail`."""

    type: str = Field(examples=["urn:darkroom:problem:steps_out_of_range"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    code: str = Field(examples=["steps_out_of_range"])
    detail: str = Field(examples=["steps is 0; choose 1 to 100."])
    errors: list[FaultView] | None = Field(
        default=None,
        examples=[[{"field": "steps", "code": "steps_out_of_range", "message": "steps is 0; choose 1 to 100."}]],
    )


def problem(
    code: str, detail: str, *, errors: list[FaultView] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    document = _document(code, detail, errors)
    return JSONResponse(document.model_dump(exclude_none=True), document.status, dict(headers or {}), MEDIA_TYPE)


def _document(code: str, detail: str, errors: list[FaultView] | None = None) -> Problem:
    status = HTTP_STATUS[code]
    return Problem(
        type=f"urn:darkroom:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        errors=errors,
    )


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For a route's documentation: the codes it can answer, by status, each with an example."""
    by_status: dict[int | str, list[str]] = {}
    for code in with_those_of_keys(codes):
        by_status.setdefault(HTTP_STATUS[code], []).append(code)
    return {
        status: {
            "description": "`code`: " + ", ".join(f"`{code}`" for code in known),
            # Not FastAPI's `model`, which would declare these as `application/json`.
            "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA}, "examples": {code: _example(code) for code in known}}},
        }
        for status, known in by_status.items()
    }


def _example(code: str) -> dict[str, Any]:
    document = _document(code, ERROR_CODES[code].meaning)
    return {"summary": code, "value": document.model_dump(exclude_none=True)}


def of_error(error: DarkroomError) -> Response:
    """The problem document of one of our errors."""
    if isinstance(error, InvalidRequest):
        return of_faults(list(error.faults))
    if isinstance(error, LimitReached | Unavailable):
        return problem(error.code, error.message, headers={"Retry-After": str(error.retry_after_s)})
    if HTTP_STATUS.get(error.code) == 401:
        return problem(error.code, error.message, headers={"WWW-Authenticate": "Bearer"})
    if error.code not in HTTP_STATUS:
        log.error("api.unexpected_error", code=error.code, exc_info=error)
        return problem("internal_error", "Something went wrong on our side. The operator finds it in the API's log.")
    return problem(error.code, error.message)


def of_faults(faults: list[Fault]) -> Response:
    """With one fault its code is the problem's; with several, they stand in `errors`."""
    code = faults[0].code if len(faults) == 1 else "invalid_request"
    shown, more = faults[:MOST_FAULTS], len(faults) - MOST_FAULTS
    detail = " ".join([*(fault.message for fault in shown), *([f"And {more} more."] if more > 0 else [])])
    return problem(code, detail, errors=[FaultView(**asdict(fault)) for fault in shown])


class WhileReading(HTTPException):
    """Carries an error of ours out of a body being read: FastAPI takes any but Starlette's for a malformed one."""

    def __init__(self, error: DarkroomError) -> None:
        super().__init__(HTTP_STATUS.get(error.code, 500))
        self.error = error


def install(app: FastAPI) -> None:
    """Make every error of this application a problem document."""
    app.add_exception_handler(DarkroomError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unexpected)


async def _on_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DarkroomError)
    return of_error(error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if not _is_json(request) and any(part["loc"] == ("body",) for part in error.errors()):
        return problem("unsupported_media_type", "Send the body as JSON, with `Content-Type: application/json`.")
    if any(part["type"] == "json_invalid" for part in error.errors()):
        return problem("malformed_json", "The body is not valid JSON. Check quotes, commas and the encoding (UTF-8).")
    return of_faults([_fault(part) for part in error.errors()])


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _fault(part: Mapping[str, Any]) -> Fault:
    where, name = str(part["loc"][0]), ".".join(str(step) for step in part["loc"][1:])
    field = (name or where)[:80]
    match part["type"]:
        case "extra_forbidden":
            return Fault(field, "unknown_field", f"There is no field {field!r}. Check its spelling, or leave it out.")
        case "missing":
            return Fault(field, "missing_field", f"{field} is missing: give it.")
        case _:
            # pydantic's sentence says what is wanted; the value itself is never repeated, it may be a prompt.
            said = part["msg"].removeprefix("Value error, ").rstrip(".")
            return Fault(field, "invalid_field", f"{field}: {said}.")


HTTP_CODES = {
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    413: "body_too_large",
    415: "unsupported_media_type",
}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What Starlette and FastAPI raise by themselves."""
    assert isinstance(error, HTTPException)
    if isinstance(error, WhileReading):
        return of_error(error.error)
    if error.status_code == 400:
        return problem("malformed_json", "The body cannot be read. Send JSON in UTF-8.")
    code = HTTP_CODES.get(error.status_code, "internal_error")
    path = request.url.path[:200]
    details = {
        "not_found": f"There is nothing at {path}. The routes are listed at /docs.",
        "method_not_allowed": f"{path} does not take {request.method}. The routes are listed at /docs.",
    }
    headers = {"Allow": _allowed(request)} if code == "method_not_allowed" else error.headers
    return problem(code, details.get(code, str(error.detail)), headers=headers)


def _allowed(request: Request) -> str:
    """Of all routes at this path: Starlette names the first one's methods alone."""
    routes = request.app.router.routes
    return ", ".join(
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )


async def _on_unexpected(_: Request, error: Exception) -> Response:
    log.error("api.unexpected_error", exc_info=error)
    return problem("internal_error", "Something went wrong on our side. The operator finds it in the API's log.")
