"""A finished picture, large: moved through, zoomed, saved, and its settings taken on."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.eventually import eventually
from tests.page.conftest import Studio

pytestmark = pytest.mark.browser


@pytest.fixture
def page(studio: Studio) -> Page:
    """Two pictures of one job, the first of them large."""
    studio.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    studio.open()
    studio.page.get_by_role("radio", name="2", exact=True).check(force=True)
    studio.ask("a boat at sea")
    studio.worker.finish(studio.claim())
    studio.page.get_by_role("button", name="Open image 1").click()
    expect(studio.page.locator(".pswp__img").first).to_be_visible()
    return studio.page


def tool(page: Page, name: str) -> None:
    page.locator(".caption").get_by_role("button", name=name).click()


def test_it_is_moved_through_and_zoomed(page: Page) -> None:
    expect(page.locator(".pswp__counter")).to_have_text("1 / 2")
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".pswp__counter")).to_have_text("2 / 2")

    page.get_by_role("button", name="Zoom").click()

    expect(page.locator(".pswp--zoomed-in")).to_be_visible()


def test_it_is_saved_under_a_name_that_tells_where_it_is_from(page: Page, studio: Studio, tmp_path: Path) -> None:
    with page.expect_download() as saved:
        tool(page, "Download")

    [job] = studio.api.services.store.newest("anonymous", limit=1)
    assert saved.value.suggested_filename == f"darkroom-{job.id}-0.png"
    saved.value.save_as(tmp_path / "saved.png")
    assert (tmp_path / "saved.png").read_bytes().startswith(b"\x89PNG")


def test_its_link_opens_it_elsewhere(page: Page) -> None:
    tool(page, "Copy link")
    expect(page.get_by_text("Link copied. It works until")).to_be_visible()

    link = page.evaluate("navigator.clipboard.readText()")

    assert page.request.get(link).headers["content-type"] == "image/png"


def test_its_parameters_make_it_again(page: Page, studio: Studio) -> None:
    page.keyboard.press("ArrowRight")
    tool(page, "Copy parameters")
    expect(page.get_by_text("Parameters copied")).to_be_visible()

    parameters = json.loads(page.evaluate("navigator.clipboard.readText()"))

    [job] = studio.api.services.store.newest("anonymous", limit=1)
    assert parameters["prompt"] == "a boat at sea"
    assert parameters["seed"] == job.request.seed + 1
    assert page.request.post("/generate", data=parameters).status == 202


def test_its_seed_is_set_for_the_next(page: Page, studio: Studio) -> None:
    page.keyboard.press("ArrowRight")
    tool(page, "Same seed again")
    expect(page.locator(".pswp")).to_have_count(0)
    expect(page.get_by_label("What to draw")).to_be_focused()

    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("article")).to_have_count(2)

    store = studio.api.services.store
    # Its card is there before the server has it.
    newest, first = eventually(lambda: (jobs := store.newest("anonymous", limit=2))[1:] and jobs)
    assert (newest.request.seed, newest.request.n) == (first.request.seed + 1, 1)
