"""`X-Request-ID`: every answer has one, the client's own where it sent one, and so has every line that is logged."""

import httpx
import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from darkroom.settings import Settings
from tests.api.serving import Serving, serving, spoken


@pytest.mark.parametrize("path", ["/healthz", "/models", "/jobs/none", "/nothing", "/images/none", "/docs"])
def test_a_client_s_own_id_comes_back_with_every_answer(path: str, shared_http: httpx.Client) -> None:
    answer = shared_http.get(path, headers={"X-Request-ID": "order-1234"})

    assert answer.headers["x-request-id"] == "order-1234"


def test_without_one_each_request_gets_its_own(shared_http: httpx.Client) -> None:
    ids = [shared_http.get("/healthz").headers["x-request-id"] for _ in range(3)]

    assert len(set(ids)) == 3
    assert all(given.startswith("req_") for given in ids)


@pytest.mark.parametrize("odd", ["", "a b", "x" * 129, "<script>", "a\tb", 'a"b', "caf\u00e9"])
def test_an_id_that_is_too_long_or_of_odd_characters_is_replaced(odd: str, shared_api: Serving) -> None:
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Request-ID: {odd}\r\n\r\n"

    heard = spoken(shared_api, request)

    assert heard.startswith("HTTP/1.1 200")
    assert "x-request-id: req_" in heard.lower()


def test_a_body_that_is_too_large_is_refused_under_the_request_s_id(shared_http: httpx.Client) -> None:
    answer = shared_http.post("/v1/images/generations", content=b" " * 100_000, headers={"X-Request-ID": "large"})

    assert (answer.status_code, answer.headers["x-request-id"]) == (413, "large")


def test_a_fault_of_ours_is_answered_and_logged_under_the_request_s_id(settings: Settings) -> None:
    with serving(settings) as api, capture_logs(processors=[merge_contextvars]) as lines:
        object.__setattr__(api.services, "catalogue", None)  # what nobody foresees

        answer = httpx.get(f"{api.url}/models", headers={"X-Request-ID": "unlucky"}, trust_env=False, timeout=60)

    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "unlucky")
    assert [line["request_id"] for line in lines if line["event"] == "api.unexpected_error"] == ["unlucky"]


def test_a_job_is_logged_with_the_request_that_made_it(http: httpx.Client) -> None:
    with capture_logs(processors=[merge_contextvars]) as lines:
        job = http.post("/generate", json={"prompt": "a red circle"}, headers={"X-Request-ID": "order-7"}).json()

    [accepted] = [line for line in lines if line["event"] == "job.accepted"]
    assert (accepted["job_id"], accepted["request_id"]) == (job["id"], "order-7")
    assert "circle" not in str(accepted)
