"""A body that does not come is not waited for; how large one may be stands in `test_bad_bodies.py`."""

import time
from collections.abc import Iterator

import httpx
import pytest

from darkroom.settings import Settings
from tests.api.serving import Serving, serving, spoken

HEAD = "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BOUND_S = 0.3


@pytest.fixture
def hasty(settings: Settings) -> Iterator[Serving]:
    with serving(settings.model_copy(update={"body_timeout_s": BOUND_S, "max_inline_bytes": 1024})) as api:
        yield api


@pytest.mark.parametrize(
    "rest",
    ["Content-Length: 500\r\n\r\n", "Content-Length: 500\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"],
)
def test_half_a_body_is_refused_when_its_time_is_over_and_its_connection_closed(rest: str, hasty: Serving) -> None:
    began = time.monotonic()

    answer = spoken(hasty, HEAD + rest, ends=False)

    assert answer.startswith("HTTP/1.1 408 ")
    assert '"code":"body_too_slow"' in answer
    assert time.monotonic() - began >= BOUND_S


def test_one_that_is_too_large_is_not_read_to_its_end(hasty: Serving) -> None:
    answer = spoken(hasty, f"{HEAD}Content-Length: 500000\r\n\r\n{'x' * 1025}", ends=False)

    assert answer.startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize(("size", "status"), [(1024, 202), (1025, 413)])
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_may_be_just_as_large_as_the_limit(size: int, status: int, is_announced: bool, hasty: Serving) -> None:
    empty = '{"prompt": ""}'
    body = f'{{"prompt": "{"x" * (size - len(empty))}"}}'.encode()

    answer = httpx.post(
        f"{hasty.url}/generate",
        content=body if is_announced else iter([body]),
        headers={"Content-Type": "application/json"},
        trust_env=False,
    )

    assert (len(body), answer.status_code) == (size, status)


def test_an_answer_that_takes_longer_than_a_body_may_is_waited_for(hasty: Serving) -> None:
    """The bound is the body's alone."""
    headers = {"Prefer": "wait=1"}

    answer = httpx.post(f"{hasty.url}/generate", json={"prompt": "x"}, headers=headers, trust_env=False, timeout=10)

    assert answer.status_code == 202
    assert "connection" not in answer.headers
