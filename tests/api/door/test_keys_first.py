"""Who has no key is told so before anything that was sent is looked at."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving, spoken

KEY = "a" * 24
HEAD = "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture
def keyed(settings: Settings) -> Iterator[Serving]:
    with serving(
        settings.model_copy(update={"api_keys": SecretStr(f"alice:{KEY}"), "max_inline_bytes": 65_536})
    ) as api:
        yield api


@pytest.mark.parametrize("body", [b"{", b"[]", b"x" * 70_000, b"\xff", b"{}", b""])
@pytest.mark.parametrize("key", [None, "Bearer wrong", f"Basic {KEY}", "Bearer"])
def test_whatever_the_body_the_key_comes_first(body: bytes, key: str | None, keyed: Serving) -> None:
    headers = {"Content-Type": "application/json"} | ({"Authorization": key} if key else {})

    answer = httpx.post(f"{keyed.url}/generate", content=body, headers=headers, trust_env=False)

    assert (answer.status_code, problem_of(answer)["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [(b"{", 400), (b"{}", 422), (b"x" * 70_000, 413), (b'{"prompt": "x"}', 202)])
def test_with_a_key_the_body_is_looked_at(body: tuple[bytes, int], keyed: Serving) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"bearer {KEY}"}

    answer = httpx.post(f"{keyed.url}/generate", content=body[0], headers=headers, trust_env=False)

    assert answer.status_code == body[1]


@pytest.mark.parametrize("length", ["Content-Length: 500", "Content-Length: 10000000000", "Transfer-Encoding: chunked"])
def test_a_body_without_a_key_is_not_waited_for(length: str, keyed: Serving) -> None:
    """Nor is the connection kept for what may still come."""
    answer = spoken(keyed, f"{HEAD}{length}\r\n\r\n", ends=False)

    assert answer.startswith("HTTP/1.1 401 ")


def test_what_needs_no_key_is_served_to_whoever_sends_a_body_with_it(keyed: Serving) -> None:
    answer = httpx.request("GET", f"{keyed.url}/healthz", content=b"what for?", trust_env=False)

    assert answer.status_code == 200
