"""For everybody: by keyboard alone, by screen reader, on a phone, in light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from darkroom.errors import GenerationFailed
from tests.page.browsing import DESKTOP, PHONE, browsing
from tests.page.conftest import Studio

pytestmark = pytest.mark.browser

SCREENS = [
    pytest.param(size, scheme, id=f"{name}-{scheme}")
    for name, size in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("dark", "light")
]


@pytest.fixture
def lived_in(studio: Studio) -> Studio:
    """One job of each kind: failed, dead, canceled, finished, running and waiting."""
    worker = studio.worker
    _ask(studio, "a boat")
    worker.claims.fail(worker.claim(), GenerationFailed("The model stopped."))
    _ask(studio, "a star")
    for _ in range(3):
        worker.claims.try_again(worker.claim(), GenerationFailed("The model stopped with ValueError."))
    _ask(studio, "a hill")
    studio.api.services.store.cancel(worker.claim().id)
    _ask(studio, "a red circle on a white background", n=4)
    worker.make_next()
    _ask(studio, "a lighthouse by the sea")
    worker.step(worker.claim(), 7)
    _ask(studio, "a castle on a rock")
    return studio


def _ask(studio: Studio, prompt: str, n: int = 1) -> None:
    answer = studio.page.request.post("/generate", data={"prompt": prompt, "n": n})
    assert answer.status == 202


@pytest.mark.parametrize(("viewport", "scheme"), SCREENS)
def test_axe_finds_nothing_on_any_view(
    lived_in: Studio, browser: Browser, shots: Path, viewport: ViewportSize, scheme: str
) -> None:
    name = f"{'phone' if viewport == PHONE else 'desktop'}-{scheme}"
    with browsing(browser, lived_in.api.url, viewport, color_scheme=scheme, reduced_motion="reduce") as page:
        for view in views(page):
            page.screenshot(path=shots / f"{view}-{name}.png")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{view}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{view} is too wide"


def views(page: Page) -> Iterator[str]:
    page.goto("/")
    expect(page.locator("img.finished.here")).to_have_count(4)
    yield "studio"
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("What to draw").fill("a lighthouse in the fog")
    yield "settings"
    page.get_by_role("button", name="Open image 1").click()
    expect(page.get_by_role("button", name="Download").last).to_be_visible()
    expect(page.locator(".pswp__img").first).to_be_visible()
    yield "large"
    page.keyboard.press("Escape")
    page.goto("/ops")
    expect(page.get_by_role("heading", name="Dead letters")).to_be_visible()
    yield "operations"


def test_all_can_be_done_by_keyboard(studio: Studio) -> None:
    page = studio.open()
    expect(page.get_by_label("What to draw")).to_be_focused()
    page.keyboard.type("a red circle")
    tab_to(page, page.get_by_role("radio", name="2", exact=True).or_(page.get_by_role("radio", name="1", exact=True)))
    page.keyboard.press("ArrowRight")
    tab_to(page, page.get_by_role("button", name="Generate"))
    page.keyboard.press("Enter")
    studio.worker.finish(studio.claim())
    expect(page.locator("img.finished.here")).to_have_count(2)

    tab_to(page, page.get_by_role("button", name="Open image 1"))
    page.keyboard.press("Enter")
    expect(page.locator(".pswp")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pswp__counter")).to_have_text("2 / 2")
    page.keyboard.press("Escape")

    expect(page.locator(".pswp")).to_have_count(0)
    expect(page.get_by_role("button", name="Open image 1")).to_be_focused()


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.first.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"the keyboard does not reach {wanted}")


def test_stages_are_spoken_and_steps_are_not(studio: Studio) -> None:
    studio.open()
    said = studio.page.locator("[role=status][aria-live=polite]")
    studio.ask()
    expect(said).to_contain_text("In line, 0 before it")

    job = studio.claim()
    expect(said).to_contain_text("Drawing has started")
    studio.worker.step(job, 5)
    expect(studio.page.get_by_text("Step 5 of")).to_be_visible()
    expect(said).to_contain_text("Drawing has started")
    studio.worker.finish(job)

    expect(said).to_contain_text("1 picture is ready: a red circle")


def test_nothing_moves_for_who_wants_it_so(browser: Browser, studio: Studio) -> None:
    _ask(studio, "a boat")
    with browsing(browser, studio.api.url, reduced_motion="reduce") as page:
        page.goto("/")
        expect(page.locator(".grain")).to_be_visible()

        assert page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length") == 0
