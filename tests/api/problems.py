"""What every error that a client meets must look like."""

from collections.abc import Iterator
from typing import Any

import httpx


def post(http: httpx.Client, body: str | bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    return http.post("/generate", content=body, headers={"Content-Type": "application/json", **headers})


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem document, once its form is checked."""
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"urn:darkroom:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"].endswith(".")
    return problem
