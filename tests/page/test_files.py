"""What the page is made of: as published, small, kept by browsers, and under a strict policy."""

import gzip
import hashlib
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Response, expect

from api.page.files import FOLDER, MODULES, PageFiles
from darkroom.settings import Settings
from tests.api.serving import serving
from tests.page.browsing import browsing
from tests.page.conftest import Studio

MOST_LINES = 300
LONGEST_LINE = 200


def own_files() -> list[Path]:
    return [
        path for path in FOLDER.rglob("*") if path.suffix in {".js", ".css", ".html"} and "vendor" not in path.parts
    ]


def test_libraries_are_as_they_were_published() -> None:
    vendor = FOLDER / "vendor"
    listed = dict(line.split("  ")[::-1] for line in (vendor / "checksums.txt").read_text().splitlines())

    found = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.glob("*/*")
    }

    assert found == listed
    assert {path.parent.name for path in vendor.glob("*/LICENSE")} == {
        path.name for path in vendor.iterdir() if path.is_dir()
    }


def test_our_own_files_hold_one_noun_each() -> None:
    long = [path.name for path in own_files() if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES]
    wide = [
        f"{path.name}: {number}"
        for path in own_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST_LINE and path.suffix != ".css" and " d=" not in line and ': "M' not in line
    ]

    assert long == []
    assert wide == []


def test_every_import_leads_to_a_file() -> None:
    missing = [
        f"{path.name}: {name}"
        for path in own_files()
        for name in re.findall(r"""(?:from|import\()\s*["']([^"']+)["']""", path.read_text(encoding="utf-8"))
        if not (name in MODULES or (path.parent / name).is_file())
    ]

    assert missing == []


def test_words_stand_in_the_file_of_texts_alone() -> None:
    """Another language is another such file."""
    words = re.compile(r""">\s*([A-Z][a-z]+[^<>{}$`=]*)<|(?:aria-label|alt|placeholder|title)="([^"]+)\"""")
    spoken = [
        f"{path.name}: {found.group()}"
        for path in own_files()
        if path.suffix == ".js" and not path.name.startswith("texts.")
        for found in words.finditer(path.read_text(encoding="utf-8"))
    ]

    assert spoken == []


def test_files_are_kept_for_good_and_the_page_is_asked_for_anew(shared_http: httpx.Client) -> None:
    page = shared_http.get("/")
    [script] = re.findall(r'src="(page/[^"]+)"', page.text)
    part = shared_http.get(f"/{script}")

    assert part.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert part.headers["content-encoding"] == "gzip"
    assert part.headers["content-type"].startswith("text/javascript")
    assert page.headers["cache-control"] == "no-cache"
    assert shared_http.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert shared_http.get(f"/{script}", headers={"Accept-Encoding": "identity"}).text == part.text


def test_a_file_of_another_version_is_not_there(shared_http: httpx.Client) -> None:
    assert shared_http.get("/page/0000000000000000/studio/studio.js").status_code == 404
    assert shared_http.get(f"/page/{PageFiles().version}/files.py").status_code == 404
    assert shared_http.get(f"/page/{PageFiles().version}/%2e%2e/application.py").status_code == 404


@pytest.mark.parametrize("path", ["/", "/ops", "/docs"])
def test_pages_allow_no_script_but_their_own_and_no_frame(shared_http: httpx.Client, path: str) -> None:
    headers = shared_http.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert re.fullmatch(r"'self' 'sha256-[A-Za-z0-9+/=]+'", policy["script-src"])
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert path == "/docs" or "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_pictures_may_come_from_where_s3_links_lead(settings: Settings) -> None:
    elsewhere = {
        "storage": "s3", "s3_endpoint_url": "http://127.0.0.1:9000", "s3_access_key_id": "key",
        "s3_public_endpoint_url": "https://s3.example.com", "s3_secret_access_key": "secret",
    }  # fmt: skip
    with serving(Settings(**settings.model_dump() | elsewhere)) as api:
        policy = httpx.get(f"{api.url}/", trust_env=False).headers["content-security-policy"]

    assert re.search(r"img-src 'self' data: blob: [^;]*https://[^ ;]*s3\.example\.com", policy)
    assert "127.0.0.1:9000" not in policy


@pytest.mark.browser
def test_the_first_load_is_small(studio: Studio) -> None:
    sizes: dict[str, int] = {}

    def note(response: Response) -> None:
        if response.request.resource_type in {"document", "script", "stylesheet", "image"}:
            sizes[response.url] = len(gzip.compress(response.body()))

    studio.page.on("response", note)
    studio.open()
    expect(studio.page.get_by_role("heading", name="Nothing here yet")).to_be_visible()

    assert len(sizes) > 20
    assert sum(sizes.values()) < 100_000


@pytest.mark.browser
def test_the_documentation_works_under_its_policy(studio: Studio) -> None:
    studio.open("/docs")

    expect(studio.page.locator(".opblock-summary-path").first).to_be_visible()


@pytest.mark.browser
def test_a_page_opened_by_another_name_of_the_server_stays_there(browser: Browser, studio: Studio) -> None:
    studio.open()
    studio.ask()
    studio.claim()
    other = f"http://localhost:{studio.api.port}"
    with browsing(browser, other) as page:
        page.goto("/")
        expect(page.get_by_role("article", name="Job: a red circle")).to_be_visible()
        [job] = studio.api.services.store.newest("anonymous", limit=1)
        studio.worker.finish(job)

        expect(page.locator("img.finished.here")).to_be_visible()
