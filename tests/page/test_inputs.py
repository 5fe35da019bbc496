"""A picture as input: an earlier one or one of a person's own, painted on, varied, compared."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from darkroom.job_store.presence import report
from darkroom.job_store.redis_client import Client
from darkroom.upscaling import UPSCALER
from darkroom.workers import WorkerInfo
from tests.eventually import eventually
from tests.page.conftest import Studio, picture

pytestmark = pytest.mark.browser


@pytest.fixture
def page(studio: Studio) -> Page:
    """One finished picture, as large as it was asked for."""
    studio.open()
    studio.ask("a red circle")
    studio.worker.finish(studio.claim())
    expect(studio.page.locator("img.finished.here")).to_have_count(1)
    return studio.page


def large_view(page: Page, tool: str) -> None:
    page.get_by_role("button", name="Open image 1").first.click()
    page.locator(".caption").get_by_role("button", name=tool).click()


def test_variations_start_from_the_picture(page: Page, studio: Studio) -> None:
    page.get_by_role("button", name="Variations").click()

    job = studio.claim()

    assert (job.request.task, job.request.n, job.request.prompt) == ("image-to-image", 4, "a red circle")


def test_upscaling_makes_a_larger_picture_beside_it(page: Page, studio: Studio, client: Client) -> None:
    report(client, WorkerInfo("cpu-1", "cpu", [UPSCALER], lanes=1))
    page.reload()
    page.get_by_role("button", name="Upscale 2 ×").click()
    page.locator("[data-job].queued").first.wait_for()
    job = studio.worker.claims.claim_next(UPSCALER, "cpu-1")
    assert job

    studio.worker.finish(job)

    larger = page.get_by_role("article").first
    expect(larger.locator("img.finished.here")).to_have_count(1)
    expect(larger).to_contain_text("256 × 256")
    expect(larger).to_contain_text("upscaled 2 ×")
    # It has no model's settings to go on with.
    expect(larger.get_by_role("button", name="Variations")).to_have_count(0)
    expect(larger.get_by_role("button", name="Again")).to_have_count(0)
    expect(larger.get_by_role("button", name="Upscale 2 ×")).to_be_visible()


def test_while_no_worker_upscales_nothing_offers_it(page: Page) -> None:
    expect(page.get_by_role("button", name="Variations")).to_be_visible()
    expect(page.get_by_role("button", name="Upscale")).to_have_count(0)


def test_a_picture_of_one_s_own_is_uploaded_and_redrawn(page: Page, studio: Studio, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(picture("navy", 96))

    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a picture").click()
    chooser.value.set_files(own)
    page.get_by_role("spinbutton", name="Strength").fill("0.3")
    page.get_by_role("button", name="Generate").click()

    request = studio.claim().request
    assert (request.task, request.strength, request.width, request.height) == ("image-to-image", 0.3, 96, 96)


def test_a_picture_is_dropped_anywhere(page: Page, studio: Studio) -> None:
    page.evaluate(
        """(file) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], "own.png", { type: "image/png" }));
            window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode(picture("navy")).decode(),
    )

    expect(page.get_by_role("group", name="Input picture")).to_be_visible()
    expect(page.get_by_role("button", name="Paint what shall change")).to_be_visible()


def test_only_what_is_painted_is_masked(page: Page, studio: Studio) -> None:
    large_view(page, "Change a part")
    canvas = page.locator(".mask-editor canvas")
    paint_across(page, canvas, 0.25)
    page.get_by_role("button", name="Use this mask").click()
    expect(page.get_by_text("Only the painted part changes")).to_be_visible()
    page.get_by_role("button", name="Generate").click()

    request = studio.claim().request

    assert request.task == "inpainting"
    assert request.mask
    mask = Image.open(io.BytesIO(studio.api.services.storage.get(f"inputs/{request.mask}.png"))).convert("L")
    assert mask.getpixel((mask.width // 2, mask.height // 4)) == 255
    assert mask.getpixel((mask.width // 2, mask.height - 4)) == 0


def test_painting_is_undone_inverted_and_done_by_keyboard(page: Page) -> None:
    large_view(page, "Change a part")
    canvas = page.locator(".mask-editor canvas")
    canvas.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    eventually(lambda: painted_share(canvas) > 0.01)
    page.get_by_role("button", name="Undo").click()
    eventually(lambda: painted_share(canvas) == 0)

    page.get_by_role("button", name="Invert").click()

    eventually(lambda: painted_share(canvas) == 1)
    page.keyboard.press("Escape")
    expect(page.locator(".mask-editor")).to_have_count(0)


def test_before_and_after_are_compared(page: Page, studio: Studio) -> None:
    page.get_by_role("button", name="Variations").click()
    studio.worker.finish(studio.claim())
    expect(page.locator("img.finished.here")).to_have_count(5)

    large_view(page, "Compare with the input")

    slider = page.get_by_role("slider", name="Border between before and after")
    slider.fill("80")
    expect(page.locator(".compare .after")).to_have_css("clip-path", "inset(0px 0px 0px 80%)")
    page.get_by_role("button", name="Close").click()
    expect(slider).to_have_count(0)


def test_what_a_job_started_from_is_known_after_the_page_was_closed(page: Page, studio: Studio, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(picture("navy", 96))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a picture").click()
    chooser.value.set_files(own)
    page.get_by_role("spinbutton", name="Strength").fill("0.3")
    page.get_by_role("button", name="Generate").click()
    studio.worker.finish(studio.claim())
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.reload()

    large_view(page, "Compare with the input")

    before = page.locator(".compare img").first
    expect(before).to_have_js_property("naturalWidth", 96)


def paint_across(page: Page, canvas: Locator, height: float) -> None:
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + height * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + height * box["height"], steps=6)
    page.mouse.up()


def painted_share(canvas: Locator) -> float:
    drawn = base64.b64decode(canvas.evaluate("(canvas) => canvas.toDataURL()").partition(",")[2])
    alpha = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGBA"))[..., 3]
    return float((alpha > 127).mean())
