"""Web pages of other origins: none, unless the operator names them."""

from collections.abc import Iterator

import httpx
import pytest

from darkroom.settings import Settings
from tests.api.serving import serving

PAGE = "https://app.example.com"


@pytest.fixture
def open_to_page(settings: Settings) -> Iterator[httpx.Client]:
    with (
        serving(Settings(**settings.model_dump() | {"cors_origins": f"{PAGE}, http://localhost:3000"})) as api,
        httpx.Client(base_url=api.url, trust_env=False) as client,
    ):
        yield client


def test_no_page_of_another_origin_may_call_by_default(shared_http: httpx.Client) -> None:
    answer = shared_http.get("/models", headers={"Origin": PAGE})

    assert "access-control-allow-origin" not in answer.headers


def test_a_page_that_is_named_may_post_jobs_and_watch_them(open_to_page: httpx.Client) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, prefer, last-event-id",
    }

    preflight = open_to_page.options("/generate", headers=asked)
    answer = open_to_page.post("/generate", json={"prompt": "a red circle"}, headers={"Origin": PAGE})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "Location" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_refusals_can_be_read_by_that_page_too(open_to_page: httpx.Client) -> None:
    answers = [
        open_to_page.post("/generate", content=b"x" * 5_000_000, headers={"Origin": PAGE}),
        open_to_page.get("/jobs/x", headers={"Origin": PAGE}),
    ]

    assert [answer.status_code for answer in answers] == [413, 404]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {PAGE}


def test_another_page_may_not(open_to_page: httpx.Client) -> None:
    answer = open_to_page.get("/models", headers={"Origin": "https://evil.example.com"})

    assert "access-control-allow-origin" not in answer.headers
