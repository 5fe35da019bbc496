"""A job on the page: from being asked for to being looked at, with a worker that is moved by hand."""

import base64

import pytest
from playwright.sync_api import Route, expect

from darkroom.errors import OutOfMemory
from tests.page.conftest import Studio, picture

pytestmark = pytest.mark.browser


def data_url(colour: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture(colour)).decode()}"


def test_a_job_appears_at_once_with_its_place_in_line(studio: Studio) -> None:
    studio.open()

    studio.ask("a boat")
    studio.ask("a star")

    page = studio.page
    expect(page.get_by_role("article", name="Job: a star")).to_contain_text("1 job before it")
    expect(page.get_by_role("article", name="Job: a boat")).to_contain_text("Next in line")


def test_who_sends_before_the_models_are_known_need_not_send_again(studio: Studio) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    studio.page.route("**/models", hold)
    studio.open()

    studio.ask("a boat")
    studio.page.get_by_label("What to draw").press("Control+Enter")
    held[0].continue_()

    expect(studio.page.locator("[data-job].queued")).to_have_count(1)
    assert len(studio.api.services.store.newest("anonymous", limit=5)) == 1


def test_its_preview_comes_before_the_picture_and_makes_room_for_it(studio: Studio) -> None:
    studio.open()
    studio.ask()
    job = studio.claim()

    studio.worker.step(job, 10)
    studio.worker.claims.preview(job, 10, 20, [data_url("gold")])

    card = studio.page.get_by_role("article", name="Job: a red circle")
    expect(card.locator("img.preview")).to_be_visible()
    expect(card).to_contain_text("Step 10 of")
    height = card.bounding_box()

    studio.worker.finish(job)

    expect(card.locator("img.finished.here")).to_be_visible()
    expect(card.locator("progress")).to_have_count(0)
    after = card.bounding_box()
    assert height
    assert after
    assert abs(height["height"] - after["height"]) < 40, "the page must not jump when the picture comes"


def test_a_reload_midway_finds_the_job_again(studio: Studio) -> None:
    studio.open()
    studio.ask()
    job = studio.claim()
    studio.worker.step(job, 3)

    studio.page.reload()

    card = studio.page.get_by_role("article", name="Job: a red circle")
    expect(card).to_contain_text("Step 3 of")
    studio.worker.finish(job)
    expect(card.locator("img.finished.here")).to_be_visible()


def test_a_server_that_restarts_midway_costs_no_event(studio: Studio) -> None:
    studio.open()
    studio.ask()
    job = studio.claim()
    studio.worker.step(job, 1)
    expect(studio.page.get_by_text("Step 1 of")).to_be_visible()

    studio.stop_server()
    expect(studio.page.get_by_text("Server away, trying again")).to_be_visible()
    studio.worker.finish(job)
    studio.start_server()

    expect(studio.page.locator("img.finished.here")).to_be_visible(timeout=30_000)
    expect(studio.page.get_by_text("Server away, trying again")).to_be_hidden()


def test_a_request_that_met_no_server_is_sent_once_it_is_back(studio: Studio) -> None:
    studio.open()
    expect(studio.page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    studio.stop_server()

    studio.ask("a boat")
    expect(studio.page.get_by_text("Sending")).to_be_visible()
    studio.start_server()

    studio.claim()
    expect(studio.page.get_by_role("article")).to_have_count(1)


def test_several_jobs_at_once_are_all_followed(studio: Studio) -> None:
    studio.open()
    for prompt in ("one", "two", "three", "four"):
        studio.ask(prompt)
        expect(studio.page.get_by_role("article", name=f"Job: {prompt}")).to_be_visible()
    studio.page.locator("[data-job]").nth(3).wait_for()

    for _ in range(4):
        studio.worker.make_next()

    expect(studio.page.locator("img.finished.here")).to_have_count(4)


def test_what_one_tab_does_the_other_shows(studio: Studio) -> None:
    studio.open()
    other = studio.page.context.new_page()
    other.goto("/")
    expect(other.get_by_role("heading", name="Nothing here yet")).to_be_visible()

    studio.ask("a boat")
    studio.claim()

    card = other.get_by_role("article", name="Job: a boat")
    expect(card).to_be_visible()
    studio.page.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("Canceled")


def test_a_cancel_ends_the_job(studio: Studio) -> None:
    studio.open()
    studio.ask()
    job = studio.claim()

    studio.page.get_by_role("button", name="Cancel").click()

    expect(studio.page.get_by_role("article")).to_contain_text("Canceled")
    assert studio.api.services.store.get(job.id).state == "canceled"


def test_a_deleted_job_comes_back_when_that_is_undone_and_else_is_gone(studio: Studio) -> None:
    studio.open()
    studio.ask()
    studio.claim()
    studio.page.get_by_role("button", name="Cancel").click()
    card = studio.page.get_by_role("article")

    studio.page.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    studio.page.get_by_role("button", name="Undo").click()
    expect(card).to_have_count(1)

    studio.page.get_by_role("button", name="Delete").click()
    studio.page.get_by_role("button", name="Dismiss").click()
    expect(studio.page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    assert studio.api.services.store.newest("anonymous", limit=5) == []


def test_a_failure_is_told_in_plain_words_and_tried_again(studio: Studio) -> None:
    studio.open()
    studio.ask("a boat")
    studio.worker.claims.fail(studio.claim(), OutOfMemory("No room."))

    card = studio.page.get_by_role("article", name="Job: a boat").last
    expect(card).to_contain_text("did not fit into the worker's memory")
    card.get_by_role("button", name="Try again").click()

    studio.claim()
    expect(studio.page.get_by_role("article", name="Job: a boat")).to_have_count(2)
