"""What a newcomer does: `darkroom up --open`, a prompt, and a picture that follows it; with the bundled model."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.eventually import eventually
from tests.page.browsing import browsing
from tests.page.conftest import environment
from tests.servers import ServerProcess, free_port

pytestmark = pytest.mark.browser

READY_WITHIN_S = 120
Pixels = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]


@pytest.fixture(scope="module")
def opened_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address that `--open` gave to the browser: here a script that writes it down."""
    folder, port = tmp_path_factory.mktemp("up"), free_port()
    opened, script = folder / "opened", folder / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    script.chmod(0o755)
    told = {
        **environment(),
        "DARKROOM_DATA_DIR": str(folder / "data"),
        "DARKROOM_LANES": "4",
        "BROWSER": f"{script} %s",
    }
    command = [sys.executable, "-m", "darkroom", "up", "--open", "--port", str(port)]
    process = ServerProcess(command, folder, lambda: opened.exists() and opened.read_text() != "", told)
    process.start(READY_WITHIN_S)
    try:
        url = opened.read_text().strip()
        eventually(lambda: _lanes(url), READY_WITHIN_S, what="the GPU worker has loaded its model")
        yield url
    finally:
        process.stop()


def _lanes(url: str) -> int:
    models = httpx.get(f"{url}/models", trust_env=False).json()["models"]
    return int(next(model["lanes"] for model in models if model["is_default"]))


@pytest.fixture
def page(browser: Browser, opened_url: str) -> Iterator[Page]:
    with browsing(browser, opened_url) as page:
        page.set_default_timeout(60_000)
        page.goto("/")
        yield page


def test_a_prompt_becomes_pictures_that_sharpen_and_are_saved(page: Page, tmp_path: Path) -> None:
    page.get_by_role("radio", name="4", exact=True).check(force=True)
    page.get_by_label("What to draw").fill("a red circle on a white background")
    page.get_by_role("button", name="Generate").click()

    card = page.get_by_role("article", name="Job: a red circle").first
    expect(card.locator("img.preview").first).to_be_visible(timeout=60_000)
    expect(card.locator("img.finished.here")).to_have_count(4, timeout=60_000)
    card.get_by_role("button", name="Open image 1").click()
    with page.expect_download() as saved:
        page.locator(".caption").get_by_role("button", name="Download").click()

    saved.value.save_as(tmp_path / "circle.png")
    red, green, blue = pixels_of((tmp_path / "circle.png").read_bytes())[60:68, 60:68].mean(axis=(0, 1))
    assert red > 180
    assert max(green, blue) < 90


def test_only_the_painted_part_of_a_picture_changes(page: Page) -> None:
    ask(page, "a red circle on a white background")
    before = finished(page)
    page.get_by_role("button", name="Open image 1").first.click()
    page.locator(".caption").get_by_role("button", name="Change a part").click()
    paint_the_left_half(page)
    ask(page, "a blue circle on a black background")
    after = finished(page)

    assert pixels_of(after).shape == pixels_of(before).shape
    change = np.abs(pixels_of(after).astype(int) - pixels_of(before).astype(int)).mean(axis=2)
    left, right = change[:, :48].mean(), change[:, -40:].mean()
    assert left > 40, "what was painted is drawn anew"
    assert right < 4, "what was not painted stays"


def test_a_picture_is_upscaled(page: Page) -> None:
    ask(page, "a red circle on a white background")
    before = pixels_of(finished(page))

    page.get_by_role("article").first.get_by_role("button", name="Upscale 2 ×").click()

    larger = page.get_by_role("article").filter(has_text="upscaled 2 ×").first
    larger.locator("img.finished.here").wait_for(timeout=60_000)
    larger.get_by_role("button", name="Open image 1").click()
    shown = page.locator(".pswp__item[aria-hidden=false] .pswp__img:not(.pswp__img--placeholder)")
    expect(shown).to_have_js_property("naturalWidth", 2 * before.shape[1])


def ask(page: Page, prompt: str) -> None:
    known = page.get_by_role("article").count()
    page.get_by_label("What to draw").fill(prompt)
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("article")).not_to_have_count(known)


def finished(page: Page) -> bytes:
    """The newest job's picture."""
    picture = page.get_by_role("article").first.locator("img.finished.here")
    picture.wait_for(timeout=90_000)
    return page.request.get(picture.get_attribute("src") or "").body()


def paint_the_left_half(page: Page) -> None:
    canvas = page.locator(".mask-editor canvas")
    page.get_by_label("Brush size").fill("64")
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] - 4, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Use this mask").click()
    expect(page.get_by_text("Only the painted part changes")).to_be_visible()


def pixels_of(file: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
