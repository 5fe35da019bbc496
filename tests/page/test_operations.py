"""The page for operators: live, and dead letters are dealt with there."""

import re

import pytest
from playwright.sync_api import expect

from darkroom.errors import GenerationFailed
from darkroom.job_store.key_use import KeyUse
from darkroom.webhooks.delivery import Webhook
from tests.conftest import MakeRequest
from tests.page.conftest import Studio

pytestmark = pytest.mark.browser


def kill(studio: Studio, request_of: MakeRequest) -> str:
    """A dead letter of somebody else."""
    job = studio.api.services.store.enqueue("alice", request_of()).job
    for _ in range(3):
        studio.worker.claims.try_again(studio.worker.claim(), GenerationFailed("The model stopped with ValueError."))
    return job.id


def test_what_waits_and_runs_is_shown_live(studio: Studio, request_of: MakeRequest) -> None:
    page = studio.open("/ops")
    expect(page.get_by_role("cell", name="gpu-1")).to_be_visible()
    expect(page.get_by_text("Nothing runs.")).to_be_visible()

    for _ in range(2):
        studio.api.services.store.enqueue("alice", request_of(steps=20))
    job = studio.worker.claim()
    studio.worker.step(job, 7)

    running = page.get_by_role("row", name=job.id[-8:])
    expect(running).to_contain_text("7 / 20")
    expect(running).to_contain_text("alice")
    expect(page.get_by_role("row", name="minilab").first).to_contain_text("1")
    studio.worker.finish(job)
    expect(page.get_by_text("Nothing runs.")).to_be_visible()


def test_a_dead_letter_is_read_and_retried(studio: Studio, request_of: MakeRequest) -> None:
    kill(studio, request_of)
    page = studio.open("/ops")

    page.get_by_text("How its attempts ended").click()
    expect(page.get_by_role("listitem")).to_have_count(3)
    page.get_by_role("button", name="Retry").click()

    expect(page.get_by_text("In line again as")).to_be_visible()
    expect(page.get_by_text("None. Jobs that fail with every attempt come here.")).to_be_visible()
    assert studio.worker.claim().owner == "alice"


def test_a_dead_letter_is_dropped_at_the_second_word(studio: Studio, request_of: MakeRequest) -> None:
    job_id = kill(studio, request_of)
    page = studio.open("/ops")

    page.get_by_role("button", name="Drop").click()
    page.get_by_role("button", name="Really drop?").click()

    expect(page.get_by_text("Dropped from the list.")).to_be_visible()
    assert studio.api.services.store.get(job_id).state == "failed"


def test_keys_are_listed_with_their_last_use(studio: Studio) -> None:
    KeyUse(studio.api.services.redis).note("alice")

    page = studio.open("/ops")

    expect(page.get_by_role("row", name="alice")).to_contain_text("just now")


def test_what_a_key_used_today_and_the_webhooks_that_are_owed_are_shown(
    studio: Studio, request_of: MakeRequest
) -> None:
    KeyUse(studio.api.services.redis).note("alice")
    store = studio.api.services.store
    job = store.enqueue("alice", request_of(steps=20), webhook=Webhook("https://shop.example/hook?secret=1")).job
    store.enqueue("alice", request_of(steps=20))
    store.cancel(job.id)

    page = studio.open("/ops")

    expect(page.get_by_role("row", name="alice").filter(has_text="just now")).to_have_text(
        re.compile(r"just now\s*1\s*20\D")
    )
    owed = page.get_by_role("row", name="shop.example")
    expect(owed).to_contain_text("canceled")
    expect(page.get_by_text("secret=1")).to_have_count(0)
