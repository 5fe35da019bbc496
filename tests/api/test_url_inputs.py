"""Inputs by URL: fetched once, from where the operator allows, and refused with a sentence for everything else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from api.inputs.references import References, guarded
from darkroom.errors import InvalidRequest
from darkroom.fetching.guarded_fetch import GuardedFetch
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.settings import Settings
from tests.api.input_pictures import decoded, picture
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving
from tests.darkroom.fetching.internet import PUBLIC, Internet, Resolver, answer, redirect
from tests.watched_storage import WatchedStorage

LARGEST = 100_000


class Shelf(BaseHTTPRequestHandler):
    """Pictures, and other things that URLs lead to."""

    def do_GET(self) -> None:
        match self.path:
            case "/picture.png":
                self._send(200, picture(96, 64))
            case "/bytes":
                self._send(200, picture(96, 64), "application/octet-stream")
            case "/page":
                self._send(200, b"<html>", "text/html")
            case "/liar.png":
                self._send(200, b"<html>")
            case "/large.png":
                self._send(200, b"x" * (LARGEST + 1))
            case "/inside":
                self._redirect("https://10.1.2.3/secret.png")
            case "/first" | "/second":
                self._redirect({"/first": "/second", "/second": "/inside"}[self.path])
            case _:
                self._send(404, b"")

    def _send(self, status: int, body: bytes, content_type: str = "image/png") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def shelf() -> Iterator[str]:
    """The URL of a store inside the operator's network."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def api(settings: Settings, shelf: str) -> Iterator[Serving]:
    more = {"fetch_origins": (shelf,), "max_upload_bytes": LARGEST}
    with serving(settings.model_copy(update=more)) as it:
        yield it


def files(settings: Settings) -> list[str]:
    return [path.name for path in settings.images_dir.rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", ["/picture.png", "/bytes"])
def test_a_picture_at_a_url_becomes_an_input(path: str, http: httpx.Client, shelf: str, api: Serving) -> None:
    job = http.post("/generate", json={"prompt": "x", "image": shelf + path}).json()

    assert (job["request"]["task"], job["request"]["width"], job["request"]["height"]) == ("image-to-image", 160, 112)
    [source] = job["inputs"]
    assert source["field"] == "image"
    assert decoded(httpx.get(source["url"], trust_env=False).content).size == (96, 64)


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("/first", "url_forbidden", "10.1.2.3 leads to an address that is not on the public internet"),
        ("/nothing", "url_unreachable", "status 404"),
        ("/page", "url_wrong_type", "text/html"),
        ("/liar.png", "input_not_a_picture", "no PNG, JPEG, WebP or GIF"),
        ("/large.png", "url_too_large", f"larger than {LARGEST} bytes"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    path: str, code: str, says: str, http: httpx.Client, shelf: str, settings: Settings
) -> None:
    answer = http.post("/generate", json={"prompt": "x", "image": shelf + path})

    problem = problem_of(answer)
    assert (answer.status_code, problem["code"]) == (422, code)
    assert says in problem["detail"]
    assert problem["errors"][0]["field"] == "image"
    assert files(settings) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.png", "https://localhost/x.png", "https://[::1]/x.png"])
def test_an_address_inside_that_nobody_listed_is_refused(url: str, http: httpx.Client) -> None:
    answer = http.post("/generate", json={"prompt": "x", "image": url})

    assert problem_of(answer)["code"] == "url_forbidden"


def test_several_bad_urls_are_told_of_at_once(http: httpx.Client, shelf: str) -> None:
    answer = http.post("/generate", json={"prompt": "x", "image": f"{shelf}/page", "mask": f"{shelf}/nothing"})

    assert [fault["code"] for fault in problem_of(answer)["errors"]] == ["url_wrong_type", "url_unreachable"]


def test_who_answers_slowly_holds_up_no_other_s_pictures(settings: Settings) -> None:
    with silent_server() as origin, serving(settings.model_copy(update={"fetch_origins": (origin,)})) as api:
        slow = [threading.Thread(target=ask_for, args=(api, origin), daemon=True) for _ in range(16)]
        for each in slow:
            each.start()

        uploaded = httpx.post(f"{api.url}/uploads", content=picture(), trust_env=False)

    assert uploaded.status_code == 201


def test_from_the_internet_it_is_https_and_by_redirects_too(
    client: Client, store: JobStore, storage: WatchedStorage
) -> None:
    internet = Internet({(PUBLIC, 443): [redirect("https://b.example/x.png"), answer(body=b"pixels")]})
    fetch = GuardedFetch(resolver=Resolver(a_example=[[PUBLIC]], b_example=[[PUBLIC]]), network=internet)
    references = References(InputRecords(client), store, storage, guarded(fetch, 1000))

    assert references.resolve("https://a.example/", "image", "alice") == b"pixels"
    with pytest.raises(InvalidRequest) as refused:
        references.resolve("http://a.example/", "image", "alice")
    assert [fault.code for fault in refused.value.faults] == ["url_forbidden"]


def ask_for(api: Serving, origin: str) -> None:
    with suppress(httpx.HTTPError):  # the test is over
        httpx.post(f"{api.url}/generate", json={"prompt": "x", "image": f"{origin}/x.png"}, trust_env=False)


@contextmanager
def silent_server() -> Iterator[str]:
    """It takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=32) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
