"""The largest body that is taken, and the smallest that is not: with its length said, and without."""

from collections.abc import Iterator

import httpx
import pytest

MOST_BYTES = 65_536
WISH = b'{"prompt": "a red circle"}'
JSON = {"Content-Type": "application/json"}


def body_of(size: int) -> bytes:
    return WISH.ljust(size)


def in_parts(body: bytes) -> Iterator[bytes]:
    """httpx does not say how long that is."""
    for start in range(0, len(body), 1024):
        yield body[start : start + 1024]


@pytest.mark.parametrize("is_length_said", [True, False])
def test_a_body_of_exactly_the_allowed_size_is_taken(is_length_said: bool, http: httpx.Client) -> None:
    body = body_of(MOST_BYTES)

    answer = http.post("/generate", content=body if is_length_said else in_parts(body), headers=JSON)

    assert answer.status_code == 202


@pytest.mark.parametrize("is_length_said", [True, False])
def test_one_byte_more_is_refused(is_length_said: bool, shared_http: httpx.Client) -> None:
    body = body_of(MOST_BYTES + 1)

    answer = shared_http.post("/generate", content=body if is_length_said else in_parts(body), headers=JSON)

    assert answer.status_code == 413
