"""A server that asks for no key is used by its own pages and by programs, and by no stranger's web page."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving, spoken

PAGE = "https://app.example.com"
EVIL = "http://evil.example.com"
RED = {"prompt": "a red circle"}


@pytest.fixture
def named(settings: Settings) -> Iterator[Serving]:
    """An operator has named a host, and the origin of a page."""
    changes = {"trusted_hosts": "gpu-box.lan, Other.lan", "cors_origins": PAGE}
    with serving(Settings(**settings.model_dump() | changes)) as api:
        yield api


def status_under(host: str, api: Serving) -> int:
    return httpx.get(f"{api.url}/models", headers={"Host": host}, trust_env=False).status_code


@pytest.mark.parametrize(
    "host", ["evil.example.com", "evil.example.com:8000", "localhost.evil.com", "127.0.0.1.nip.io"]
)
@pytest.mark.parametrize("path", ["/models", "/openapi.json", "/docs", "/healthz", "/files/jobs/x/0.png"])
def test_under_a_name_of_a_stranger_s_nothing_is_shown(host: str, path: str, shared_http: httpx.Client) -> None:
    answer = shared_http.get(path, headers={"Host": host})

    assert (answer.status_code, problem_of(answer)["code"]) == (421, "untrusted_host")
    assert "DARKROOM_TRUSTED_HOSTS" in problem_of(answer)["detail"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "localhost.", "darkroom.localhost", "127.0.0.1", "10.0.0.5:80", "[::1]:8000"],
)
def test_addresses_and_loopback_are_trusted(host: str, shared_api: Serving) -> None:
    assert status_under(host, shared_api) == 200


@pytest.mark.parametrize("host", ["", "[", "[::1", "a b", "\u00e9vil.com"])
def test_a_host_that_cannot_be_read_is_not_trusted(host: str, shared_api: Serving) -> None:
    request = f"GET /models HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    assert spoken(shared_api, request).split()[1] in {"400", "421"}


def test_one_right_host_of_two_is_not_enough(shared_api: Serving) -> None:
    answer = spoken(shared_api, "GET /models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n\r\n")

    assert answer.split()[1] in {"400", "421"}


def test_a_program_that_names_no_host_is_no_browser(shared_api: Serving) -> None:
    assert spoken(shared_api, "GET /models HTTP/1.0\r\n\r\n", ends=False).split()[1] == "200"


def test_names_that_the_operator_gave_are_trusted_too(named: Serving) -> None:
    assert [status_under(host, named) for host in ("gpu-box.lan", "other.lan:80", "evil.lan")] == [200, 200, 421]


def test_the_public_url_s_name_is_trusted(settings: Settings) -> None:
    public = settings.model_copy(update={"public_url": "https://images.example.com/darkroom"})
    with serving(public, public_url=public.public_url) as api:
        assert [status_under(host, api) for host in ("images.example.com", "example.com")] == [200, 421]


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost:1", "https://127.0.0.1", "file://"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_page_of_another_origin_changes_nothing(origin: str, method: str, http: httpx.Client) -> None:
    """As a form or a simple request would: without asking first."""
    headers = {"Origin": origin, "Content-Type": "text/plain"}

    answer = http.request(method, "/generate" if method == "POST" else "/jobs/x", headers=headers, content=b"{}")

    assert (answer.status_code, problem_of(answer)["code"]) == (403, "untrusted_origin")
    assert http.get("/jobs").json()["jobs"] == []


def test_the_server_s_own_page_may(http: httpx.Client, api: Serving) -> None:
    assert http.post("/generate", json=RED, headers={"Origin": api.url}).status_code == 202


def test_a_page_that_the_operator_named_may_too(named: Serving) -> None:
    origins = (PAGE, EVIL)

    answers = [
        httpx.post(f"{named.url}/generate", json=RED, headers={"Origin": origin}, trust_env=False) for origin in origins
    ]

    assert [answer.status_code for answer in answers] == [202, 403]


def test_any_page_may_where_the_operator_said_so(settings: Settings) -> None:
    with serving(settings.model_copy(update={"cors_origins": ("*",)})) as api:
        answer = httpx.post(f"{api.url}/generate", json=RED, headers={"Origin": EVIL}, trust_env=False)

    assert answer.status_code == 202


@pytest.mark.parametrize(("trusted", "status"), [((), 200), (("gpu-box.lan",), 421)])
def test_where_keys_are_asked_for_names_are_looked_at_only_on_demand(
    trusted: tuple[str, ...], status: int, settings: Settings
) -> None:
    """A page has no key, and a server in a cluster is reached by many names."""
    keyed = settings.model_copy(update={"api_keys": SecretStr("alice:" + "a" * 24), "trusted_hosts": trusted})

    with serving(keyed) as api:
        answer = httpx.get(f"{api.url}/healthz", headers={"Host": "darkroom-api.svc:8000"}, trust_env=False)

    assert answer.status_code == status
