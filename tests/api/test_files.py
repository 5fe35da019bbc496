"""Signed links of local storage, followed over real HTTP as a browser or a download manager would."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from darkroom.settings import Settings
from storage.links import LinkSigner
from storage.local import LocalStorage
from storage.signing_key import signing_key
from tests.api.conftest import Ask
from tests.api.problems import problem_of
from tests.api.serving import Serving
from tests.api.worker import PIXELS, Worker

SIZE = len(PIXELS)


@pytest.fixture
def link(ask: Ask, http: httpx.Client, worker: Worker) -> str:
    job_id = ask(seed=7)["id"]
    worker.make_next()
    url: str = http.get(f"/jobs/{job_id}").json()["images"][0]["url"]
    return url


def test_a_link_leads_to_the_image_without_a_key(link: str) -> None:
    answer = httpx.get(link, trust_env=False)

    assert answer.content == PIXELS
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-disposition"].startswith('inline; filename="darkroom-')
    assert answer.headers["accept-ranges"] == "bytes"


def test_an_image_may_be_kept_as_long_as_its_link_lives(link: str, http: httpx.Client) -> None:
    kept = http.get(link).headers["cache-control"]

    assert kept.startswith("private, max-age=")
    assert kept.endswith(", immutable")
    assert 3500 < int(kept.split("=")[1].partition(",")[0]) <= 3600


def test_head_tells_about_the_image_and_sends_none_of_it(link: str, http: httpx.Client) -> None:
    answer = http.head(link)

    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(SIZE), b"")


@pytest.mark.parametrize(
    ("asked", "told", "part"),
    [
        ("bytes=0-9", f"bytes 0-9/{SIZE}", PIXELS[:10]),
        ("bytes=10-", f"bytes 10-{SIZE - 1}/{SIZE}", PIXELS[10:]),
        ("bytes=-10", f"bytes {SIZE - 10}-{SIZE - 1}/{SIZE}", PIXELS[-10:]),
        ("bytes=5-5", f"bytes 5-5/{SIZE}", PIXELS[5:6]),
        (f"bytes=5-{SIZE + 1000}", f"bytes 5-{SIZE - 1}/{SIZE}", PIXELS[5:]),
        ("bytes=-100000", f"bytes 0-{SIZE - 1}/{SIZE}", PIXELS),
    ],
)
def test_a_range_gives_that_part(asked: str, told: str, part: bytes, link: str, http: httpx.Client) -> None:
    answer = http.get(link, headers={"Range": asked})

    assert (answer.status_code, answer.headers.get("content-range"), answer.content) == (206, told, part)


def test_several_ranges_come_in_parts(link: str, http: httpx.Client) -> None:
    answer = http.get(link, headers={"Range": "bytes=0-3,20-29"})

    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert PIXELS[:4] in answer.content
    assert PIXELS[20:30] in answer.content


def test_a_range_is_resumed_only_while_the_file_is_the_same(link: str, http: httpx.Client) -> None:
    etag = http.head(link).headers["etag"]

    same = http.get(link, headers={"Range": "bytes=0-9", "If-Range": etag})
    another = http.get(link, headers={"Range": "bytes=0-9", "If-Range": '"another"'})

    assert (same.status_code, another.status_code) == (206, 200)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("asked", ["{etag}", "W/{etag}", '"another", {etag}', "*"])
def test_an_image_that_the_client_has_is_not_sent_again(method: str, asked: str, link: str, http: httpx.Client) -> None:
    first = http.get(link)

    answer = http.request(method, link, headers={"If-None-Match": asked.format(etag=first.headers["etag"])})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == first.headers["etag"]
    assert answer.headers["cache-control"].endswith(", immutable")


@pytest.mark.parametrize("asked", ['"another"', "", "etag", '"', ",,,"])
def test_an_image_that_it_does_not_have_is(asked: str, link: str, http: httpx.Client) -> None:
    answer = http.get(link, headers={"If-None-Match": asked})

    assert (answer.status_code, answer.content) == (200, PIXELS)


def test_a_link_that_is_void_says_so_whatever_the_client_has(link: str, http: httpx.Client) -> None:
    answer = http.get(link.replace("signature=", "signature=x"), headers={"If-None-Match": "*"})

    assert answer.status_code == 403


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}"])
def test_a_range_outside_the_file_is_refused_with_its_size(asked: str, link: str, http: httpx.Client) -> None:
    answer = http.get(link, headers={"Range": asked})

    problem = problem_of(answer)
    assert (answer.status_code, problem["code"]) == (416, "range_not_satisfiable")
    assert f"{SIZE} bytes" in problem["detail"]
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("asked", ["bytes", "bytes=", "bytes=a-b", "bytes=9-5", "bytes=-", "bytes=--5"])
def test_a_malformed_range_does_no_harm(asked: str, link: str, http: httpx.Client) -> None:
    answer = http.get(link, headers={"Range": asked})

    if answer.status_code == 200:  # RFC 9110 allows to ignore it
        assert answer.content == PIXELS
    else:
        assert problem_of(answer)["code"] in {"malformed_range", "range_not_satisfiable"}


def test_a_malformed_range_is_refused_with_a_right_one(link: str, http: httpx.Client) -> None:
    answer = http.get(link, headers={"Range": "bytes=a-b"})

    assert (answer.status_code, problem_of(answer)["code"]) == (400, "malformed_range")
    assert "`Range: bytes=0-1023`" in problem_of(answer)["detail"]


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("0.png", "1.png"),
        ("expires=", "expires=9"),
        ("signature=", "signature=x"),
        ("filename=darkroom", "filename=invoice"),
        ("&filename=", "&other="),
        ("/files/jobs/", "/files/jobs/%2e%2e/jobs/"),
        ("/files/jobs/", "/files//jobs/"),
    ],
)
def test_a_changed_link_is_forged(part: str, changed: str, link: str, http: httpx.Client) -> None:
    answer = http.get(link.replace(part, changed))

    assert (answer.status_code, problem_of(answer)["code"]) == (403, "link_forged")


def test_a_link_without_its_signature_is_forged(link: str, http: httpx.Client) -> None:
    answer = http.get(urlsplit(link).path)

    assert problem_of(answer)["code"] == "link_forged"


def test_a_link_with_a_stray_parameter_still_works(link: str, http: httpx.Client) -> None:
    assert http.get(f"{link}&utm_source=mail").status_code == 200


def test_an_expired_link_says_when_it_did(link: str, http: httpx.Client, api: Serving, settings: Settings) -> None:
    key = urlsplit(link).path.removeprefix("/files/")
    two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
    storage = LocalStorage(settings.images_dir, LinkSigner(signing_key(settings)), api.url, clock=lambda: two_hours_ago)

    answer = http.get(storage.signed_url(key).url)

    assert (answer.status_code, problem_of(answer)["code"]) == (410, "link_expired")
    assert "Ask for the job again" in problem_of(answer)["detail"]


def test_an_image_s_lasting_address_leads_to_a_fresh_link(link: str, http: httpx.Client) -> None:
    image_id = f"{link.split('/jobs/')[1].split('/', maxsplit=1)[0]}-0"

    answer = http.get(f"/images/{image_id}")

    assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
    assert http.get(answer.headers["location"]).content == PIXELS


def test_a_thumbnail_that_is_not_there_yet_is_said_to_be_on_its_way(link: str, http: httpx.Client) -> None:
    image_id = f"{link.split('/jobs/')[1].split('/', maxsplit=1)[0]}-0"

    answer = http.get(f"/images/{image_id}", params={"size": "thumbnail"})

    assert (answer.status_code, problem_of(answer)["code"]) == (404, "unknown_image")
    assert "no thumbnail yet" in problem_of(answer)["detail"]


def test_a_thumbnail_has_its_lasting_address_too(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    ask()
    job = worker.make_next()
    worker.add_thumbnail(job)

    shown = http.get(f"/jobs/{job.id}").json()["images"][0]["thumbnail"]
    answer = http.get(f"/images/{job.id}-0", params={"size": "thumbnail"})

    assert (shown["content_type"], shown["width"]) == ("image/webp", 64)
    assert http.get(answer.headers["location"]).headers["content-type"] == "image/webp"
    assert http.get(shown["url"]).content == b"small"
