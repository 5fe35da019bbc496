"""Keys on the page: asked for where the server wants one, kept as long as one likes, sent as a header only."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect
from pydantic import SecretStr

from darkroom.settings import Settings
from tests.api.serving import Serving, serving
from tests.page.browsing import browsing

pytestmark = pytest.mark.browser

ANNE, BOB = "anne-has-this-key-1234", "bob-has-another-key-567"


@pytest.fixture
def locked_api(settings: Settings) -> Iterator[Serving]:
    keys = {"api_keys": SecretStr(f"anne:{ANNE},bob:{BOB}"), "admin_keys": ("anne",)}
    with serving(settings.model_copy(update=keys)) as api:
        yield api


@pytest.fixture
def page(browser: Browser, locked_api: Serving) -> Iterator[Page]:
    with browsing(browser, locked_api.url) as page:
        page.goto("/")
        yield page


def sign_in(page: Page, key: str, *, remember: bool = False) -> None:
    page.get_by_label("API key").fill(key)
    if remember:
        page.get_by_label("Keep it on this device").check()
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_key_is_told_and_the_right_one_lets_in(page: Page) -> None:
    sign_in(page, "not-the-key-at-all-0000")
    expect(page.get_by_role("alert")).to_contain_text("does not know this key")

    sign_in(page, ANNE)

    expect(page.get_by_label("What to draw")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()


def test_the_key_is_for_the_tab_unless_one_says_otherwise(page: Page) -> None:
    sign_in(page, ANNE)
    expect(page.get_by_label("What to draw")).to_be_visible()
    page.reload()
    expect(page.get_by_label("What to draw")).to_be_visible()

    other = page.context.new_page()
    other.goto("/")

    expect(other.get_by_label("API key")).to_be_visible()


def test_a_remembered_key_is_for_the_device_and_signing_out_forgets_it(page: Page) -> None:
    sign_in(page, ANNE, remember=True)
    expect(page.get_by_label("What to draw")).to_be_visible()
    other = page.context.new_page()
    other.goto("/")
    expect(other.get_by_label("What to draw")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("API key")).to_be_visible()
    expect(other.get_by_label("API key")).to_be_visible()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]


def test_the_key_is_in_no_address_and_no_cookie(page: Page) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - Playwright marks its handlers
    sign_in(page, ANNE)
    expect(page.get_by_label("What to draw")).to_be_visible()
    page.get_by_label("What to draw").fill("a boat")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("article")).to_have_count(1)

    assert any(request.headers.get("authorization") == f"Bearer {ANNE}" for request in asked)
    assert not any(ANNE in request.url or "cookie" in request.headers for request in asked)


def test_each_key_sees_its_own_jobs(page: Page) -> None:
    sign_in(page, ANNE)
    page.get_by_label("What to draw").fill("a secret of Anne's")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("article")).to_have_count(1)

    page.get_by_role("button", name="Sign out").click()
    sign_in(page, BOB)

    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()


def test_operations_are_for_operators(page: Page) -> None:
    sign_in(page, BOB)
    expect(page.get_by_label("What to draw")).to_be_visible()
    expect(page.get_by_role("link", name="Operations")).to_have_count(0)
    page.goto("/ops")
    expect(page.get_by_text("This page is for operators")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    sign_in(page, ANNE)

    expect(page.get_by_role("heading", name="Workers")).to_be_visible()
