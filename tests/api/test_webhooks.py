"""Webhooks over HTTP: asked for with a request, looked at afterwards, sent again, and their secret."""

import httpx
import pytest
from structlog.testing import capture_logs

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.webhooks.delivery import Try
from tests.api.conftest import Ask
from tests.api.problems import problem_of
from tests.api.worker import Worker

HOOK = "https://shop.example/hook"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/hook", "webhook_url_refused"),
        ("https://user:secret@shop.example/", "webhook_url_refused"),
        ("ftp://shop.example", "webhook_url_refused"),
        ("hook", "webhook_url_refused"),
    ],
)
def test_a_url_that_is_not_sent_to_is_refused_before_anything_is_made(
    url: str, code: str, http: httpx.Client, client: Client
) -> None:
    answer = http.post("/generate", json={"prompt": "x", "webhook": url})

    assert (answer.status_code, problem_of(answer)["code"]) == (422, code)
    assert client.keys(keys.JOB("*")) == []


@pytest.mark.parametrize("events", [[], ["step"], ["succeeded", "nope"]])
def test_events_that_there_are_not_are_refused(events: list[str], http: httpx.Client) -> None:
    answer = http.post("/generate", json={"prompt": "x", "webhook": HOOK, "webhook_events": events})

    assert problem_of(answer)["code"] in {"invalid_field", "invalid_request"}


def test_events_without_a_url_are_a_mistake(http: httpx.Client) -> None:
    answer = http.post("/generate", json={"prompt": "x", "webhook_events": ["failed"]})

    assert problem_of(answer)["code"] == "missing_field"


def test_what_became_of_it_is_told_and_it_is_sent_again(
    http: httpx.Client, ask: Ask, worker: Worker, client: Client
) -> None:
    job = ask(webhook=HOOK, webhook_events=["started", "succeeded"])
    assert http.get(f"/jobs/{job['id']}/webhooks").json() == {"webhooks": []}
    worker.make_next()
    deliveries = Deliveries(client)
    for delivery in deliveries.take(2):
        deliveries.settle(delivery, Try(at_ms=delivery.at_ms, status=500, seconds=0.5), "failed")

    started, succeeded = http.get(f"/jobs/{job['id']}/webhooks").json()["webhooks"]
    again = http.post(f"/jobs/{job['id']}/webhooks/succeeded/redeliver")

    assert (started["event"], succeeded["event"], succeeded["state"]) == ("started", "succeeded", "failed")
    assert succeeded["tries"][0]["status"] == 500
    assert (again.status_code, again.json()["webhooks"][0]["state"]) == (202, "due")
    assert [delivery.event for delivery in deliveries.take(2)] == ["succeeded"]
    missing = http.post(f"/jobs/{job['id']}/webhooks/failed/redeliver")
    assert (missing.status_code, problem_of(missing)["code"]) == (404, "unknown_webhook")


def test_the_webhook_stands_neither_in_the_job_nor_in_logs(ask: Ask, http: httpx.Client) -> None:
    with capture_logs() as logged:
        job = ask(webhook=HOOK)

    assert "shop.example" not in str(job) + str(logged)


def test_a_secret_is_kept_until_it_is_rotated(http: httpx.Client) -> None:
    first = http.get("/webhooks/secret").json()
    assert http.get("/webhooks/secret").json() == first

    second = http.post("/webhooks/secret/rotate").json()

    assert (second["previous"], first["previous"]) == (first["secret"], None)
    assert second["secret"].startswith("whsec_")
