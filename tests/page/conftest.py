"""A real browser, before an API whose worker is moved by hand, and before the whole service with the bundled model."""

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from darkroom.job_store.redis_client import Client
from darkroom.jobs import Job
from darkroom.settings import Settings
from tests.api.serving import Serving, serving
from tests.api.worker import Worker
from tests.page.browsing import browsing
from tests.services import Chromium

SHOTS = Path(__file__).resolve().parent.parent.parent / "out" / "page"


def picture(colour: str = "crimson", side: int = 128) -> bytes:
    stored = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(stored, "PNG")
    return stored.getvalue()


@pytest.fixture(scope="package")
def browser(chromium: Chromium) -> Iterator[Browser]:
    """Gone after these tests: Playwright does not start twice in a process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.executable, args=list(chromium.arguments))
        yield browser
        browser.close()


@dataclass
class Studio:
    """The page, its server, and a worker that does what the test says."""

    page: Page
    api: Serving
    worker: Worker
    _stack: ExitStack
    _settings: Settings

    def open(self, path: str = "/") -> Page:
        self.page.goto(path)
        return self.page

    def ask(self, prompt: str = "a red circle") -> None:
        self.page.get_by_label("What to draw").fill(prompt)
        self.page.get_by_label("What to draw").press("Control+Enter")

    def claim(self) -> Job:
        """The job that the page has asked for; its card is there once the server has it."""
        self.page.locator("[data-job].queued").first.wait_for()
        return self.worker.claim()

    def stop_server(self) -> None:
        self._stack.close()

    def start_server(self) -> None:
        self._stack.enter_context(serving(self._settings, self.api.port))


@pytest.fixture
def shared_http(shared_api: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared_api.url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def shared_api(embedded_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """For tests without a browser."""
    with serving(Settings(redis_url=embedded_redis_url, data_dir=tmp_path_factory.mktemp("page-api"))) as api:
        yield api


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_waiting_per_model": 5000, "max_waiting_per_key": 5000})


@pytest.fixture
def studio(browser: Browser, settings: Settings, client: Client) -> Iterator[Studio]:
    with ExitStack() as stack:
        api = stack.enter_context(serving(settings))
        worker = Worker(client, settings, api.services.storage, picture())
        worker.sign_on()
        with browsing(browser, api.url, reduced_motion="reduce") as page:
            yield Studio(page, api, worker, stack, settings)


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where pictures of the views go, for people to look at; not in the repository."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
