"""The list of jobs: searched, filtered, endless."""

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import MakeRequest
from tests.page.conftest import Studio

pytestmark = pytest.mark.browser


def test_it_is_searched_and_filtered(studio: Studio, request_of: MakeRequest) -> None:
    for prompt in ("a boat at sea", "a red star", "a blue star"):
        studio.api.services.store.enqueue("anonymous", request_of(prompt=prompt, width=64, height=64))
    studio.worker.make_next()
    page = studio.open()
    cards = page.get_by_role("article")
    expect(cards).to_have_count(3)

    page.get_by_role("searchbox").fill("star")
    expect(cards).to_have_count(2)
    page.get_by_role("searchbox").fill("star red")
    expect(cards).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("radio", name="Done").check(force=True)
    expect(cards).to_have_count(1)
    page.get_by_role("radio", name="Failed").check(force=True)
    expect(page.get_by_text("No picture matches")).to_be_visible()


def test_a_job_leaves_a_filter_that_it_no_longer_fits(studio: Studio) -> None:
    studio.open()
    studio.ask()
    job = studio.claim()
    studio.page.get_by_role("radio", name="Under way").check(force=True)
    expect(studio.page.get_by_role("article")).to_have_count(1)

    studio.worker.finish(job)

    expect(studio.page.get_by_role("article")).to_have_count(0)


def test_a_thousand_jobs_are_reached_by_scrolling_and_only_those_in_sight_are_drawn(
    studio: Studio, request_of: MakeRequest
) -> None:
    for number in range(1000):
        request = request_of(prompt=f"picture {number}", width=64, height=64)
        studio.api.services.store.cancel(studio.api.services.store.enqueue("anonymous", request).job.id)
    page = studio.open()
    page.locator("[data-job]").first.wait_for()

    scroll_to_the_end(page)

    expect(page.locator("[data-job]")).to_have_count(1000)
    drawn = page.evaluate(
        "[...document.querySelectorAll('[data-job]')].filter((job) => job.firstElementChild.checkVisibility("
        "{ contentVisibilityAuto: true })).length"
    )
    assert 0 < drawn < 60


def scroll_to_the_end(page: Page) -> None:
    page.wait_for_function(
        "() => { scrollTo(0, document.documentElement.scrollHeight);"
        " return document.querySelectorAll('[data-job]').length === 1000; }",
        timeout=60_000,
    )
