"""The demo's client, where the API does not do what was asked."""

from collections.abc import Callable

import httpx
import pytest

from darkroom.errors import DemoFailed
from darkroom.local.demo.demo_client import DemoClient, Order

FIRST_STEP = 'id: 1\nevent: step\ndata: {"step": 1, "steps": 2}\n\n'


def client(answer: Callable[[httpx.Request], httpx.Response], deadline_s: float = 60) -> DemoClient:
    return DemoClient(httpx.Client(base_url="http://api", transport=httpx.MockTransport(answer)), deadline_s)


def test_what_an_order_leaves_open_is_not_sent() -> None:
    assert Order("a red circle", seed=0).body() == {"prompt": "a red circle", "seed": 0}


def test_events_that_break_off_again_and_again_are_given_up() -> None:
    with pytest.raises(DemoFailed, match="broke off 5 times"):
        client(lambda _: httpx.Response(200, text=FIRST_STEP)).follow("job-1", lambda _step, _steps: None)


def test_each_new_connection_says_where_the_last_one_ended() -> None:
    said: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        said.append(request.headers.get("Last-Event-ID"))
        return httpx.Response(200, text=FIRST_STEP if len(said) == 1 else "id: 2\nevent: canceled\ndata: {}\n\n")

    client(answer).follow("job-1", lambda _step, _steps: None)

    assert said == [None, "1"]


def test_a_job_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(DemoFailed, match="job-1 was not finished in time"):
        client(lambda _: httpx.Response(200, text=": ping\n\n"), deadline_s=-1).follow("job-1", lambda _s, _n: None)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(503, json={"code": "redis_unavailable", "detail": "Wait."}), "503 redis_unavailable: Wait."),
        (httpx.Response(500, text="oops"), "500: oops"),
        (httpx.Response(500, json=["odd"]), '500: ["odd"]'),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_api(response: httpx.Response, message: str) -> None:
    with pytest.raises(DemoFailed) as refusal:
        client(lambda _: response).order(Order("a red circle"))

    assert str(refusal.value) == f"POST /generate answers {message}"


def test_a_canceled_job_is_not_a_success() -> None:
    with pytest.raises(DemoFailed, match=r"The job job-1 is canceled\."):
        client(lambda _: httpx.Response(200, json={"status": "canceled", "error": None})).record("job-1")


def test_a_signed_url_that_does_not_work_is_a_failure() -> None:
    with pytest.raises(DemoFailed, match="The signed URL answers 403: expired"):
        client(lambda _: httpx.Response(403, text="expired")).fetch("http://api/images/x?signature=y")
