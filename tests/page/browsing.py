"""A browser that fails the test for what no page of ours may do: break its content policy, or leave its origin."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)
# Each of them is logged by the browser itself, whatever a page does about it.
EXPECTED_LOGS = ("Failed to load resource", "net::ERR_")


class Watch:
    """What went wrong in a page while it was used."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.faults: list[str] = []

    def listen(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error.stack or error}"))
        page.on("request", lambda request: self._ask(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(log in message.text for log in EXPECTED_LOGS):
            self.faults.append(f"{message.type}: {message.text}")

    def _ask(self, url: str) -> None:
        if not url.startswith((self._origin, "data:", "blob:")):
            self.faults.append(f"left its origin: {url}")


@contextmanager
def browsing(browser: Browser, origin: str, viewport: ViewportSize = DESKTOP, **options: Any) -> Iterator[Page]:
    """A page of a fresh profile. Other pages of its context are watched too."""
    watch = Watch(origin)
    context = browser.new_context(base_url=origin, viewport=viewport, **options)
    context.set_default_timeout(15_000)
    context.on("page", watch.listen)
    page = context.new_page()
    try:
        yield page
    finally:
        context.close()
    if watch.faults:
        pytest.fail("\n".join(watch.faults))
