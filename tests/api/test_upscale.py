"""POST /images/{id}/upscale, and `upscale` in a request."""

from typing import Any

import httpx
import pytest

from darkroom.job_store.presence import report
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.messages.queues import UPSCALE_QUEUE
from darkroom.settings import Settings
from darkroom.upscaling import UPSCALER
from darkroom.workers import WorkerInfo
from tests.api.conftest import Ask
from tests.api.input_pictures import picture
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving
from tests.api.worker import Worker
from tests.conftest import image_request
from tests.queued import queued


@pytest.fixture
def image_id(worker: Worker, ask: Ask, api: Serving) -> str:
    ask(prompt="a boat", seed=7, width=64, height=128)
    job = worker.make_next()
    api.services.storage.put(f"jobs/{job.id}/0.png", picture(64, 128), content_type="image/png")
    return f"{job.id}-0"


def upscaled(http: httpx.Client, image_id: str, **body: object) -> dict[str, Any]:
    answer = http.post(f"/images/{image_id}/upscale", json=body)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


@pytest.mark.parametrize(("body", "size"), [({}, (128, 256)), ({"factor": 2}, (128, 256)), ({"factor": 4}, (256, 512))])
def test_it_is_a_job_of_its_own_on_a_queue_of_its_own(
    body: dict[str, object], size: tuple[int, int], http: httpx.Client, image_id: str, settings: Settings
) -> None:
    job = upscaled(http, image_id, **body)

    request = job["request"]
    assert (request["task"], request["image"], request["prompt"]) == ("upscale", [image_id], "a boat")
    assert (request["width"], request["height"], request["upscale"]) == (*size, body.get("factor", 2))
    assert queued(settings.redis_url, UPSCALE_QUEUE) == [{"model": UPSCALER, "cause": job["id"]}]
    assert (job["queue_position"], job["upscale_job"]) == (0, None)


def test_its_input_is_the_image_itself(http: httpx.Client, image_id: str) -> None:
    [source] = upscaled(http, image_id)["inputs"]

    assert (source["field"], source["id"]) == ("image", image_id)
    assert httpx.get(source["url"], trust_env=False).content == picture(64, 128)


def test_it_is_listed_canceled_and_deleted_like_any_other(http: httpx.Client, image_id: str) -> None:
    job = upscaled(http, image_id)

    listed = http.get("/jobs").json()["jobs"][0]["id"]
    canceled = http.post(f"/jobs/{job['id']}/cancel").json()["status"]
    deleted = http.delete(f"/jobs/{job['id']}").status_code

    assert (listed, canceled, deleted) == (job["id"], "canceled", 204)


def test_while_no_worker_upscales_the_job_waits_and_says_so(http: httpx.Client, client: Client, image_id: str) -> None:
    before, waiting = http.get("/models").json()["upscales"], upscaled(http, image_id)

    report(client, WorkerInfo("cpu-1", "cpu", [UPSCALER], lanes=1))

    now = http.get(f"/jobs/{waiting['id']}").json()
    assert (before, waiting["notice"]) == ([], "No worker upscales now. The job waits until one does.")
    assert (http.get("/models").json()["upscales"], now["notice"]) == ([2, 4], None)


def test_the_same_key_upscales_once(http: httpx.Client, image_id: str) -> None:
    first, second, other = (
        http.post(f"/images/{image_id}/upscale", json={"factor": factor}, headers={"Idempotency-Key": "k"})
        for factor in (2, 2, 4)
    )

    assert first.json()["id"] == second.json()["id"]
    assert problem_of(other)["code"] == "idempotency_conflict"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"factor": 3}, "upscale_out_of_range"),
        ({"factor": 0}, "upscale_out_of_range"),
        ({"factor": "2"}, "invalid_field"),
        ({"faktor": 2}, "unknown_field"),
    ],
)
def test_a_bad_factor_is_refused(body: dict[str, object], code: str, http: httpx.Client, image_id: str) -> None:
    assert problem_of(http.post(f"/images/{image_id}/upscale", json=body))["code"] == code


def test_an_image_that_would_be_too_large_is_refused(http: httpx.Client, store: JobStore, worker: Worker) -> None:
    store.enqueue("anonymous", image_request(width=4096, height=4096))
    job = worker.make_next()

    twice, four_times = (
        http.post(f"/images/{job.id}-0/upscale", json={"factor": factor}, headers={"Idempotency-Key": "x" * factor})
        for factor in (2, 4)
    )

    for answer in (twice, four_times):
        assert problem_of(answer)["code"] == "upscaled_too_large"


def test_an_image_that_is_not_there_is_not_upscaled(http: httpx.Client) -> None:
    assert problem_of(http.post(f"/images/{'0' * 28}-0/upscale"))["code"] == "unknown_image"


def test_nor_is_another_owner_s(settings: Settings, client: Client) -> None:
    keys = "alice:alice-key-1234567,bob:bob-key-123456789"
    alice, bob = ({"Authorization": f"Bearer {pair.partition(':')[2]}"} for pair in keys.split(","))
    with serving(Settings.model_validate(settings.model_dump() | {"api_keys": keys})) as api:
        asked = httpx.post(f"{api.url}/generate", json={"prompt": "x"}, headers=alice, trust_env=False)
        Worker(client, settings, api.services.storage).make_next()

        answer = httpx.post(f"{api.url}/images/{asked.json()['id']}-0/upscale", headers=bob, trust_env=False)

    assert problem_of(answer)["code"] == "unknown_image"


def test_a_request_may_say_it_at_once(ask: Ask) -> None:
    job = ask(upscale=2)

    assert job["request"]["upscale"] == 2
    assert int(job["upscale_job"], 16) == int(job["id"], 16) + 1


@pytest.mark.parametrize("factor", [1, 3, 8])
def test_a_request_with_a_bad_factor_is_refused(factor: int, http: httpx.Client) -> None:
    answer = http.post("/generate", json={"prompt": "x", "upscale": factor})

    assert problem_of(answer)["code"] == "upscale_out_of_range"


def test_such_a_request_is_refused_while_too_many_wait_to_be_upscaled(settings: Settings, store: JobStore) -> None:
    store.enqueue("anonymous", image_request(model=UPSCALER))
    with serving(settings.model_copy(update={"max_waiting_per_model": 1})) as api:
        refused, plain = (
            httpx.post(f"{api.url}/generate", json={"prompt": "x"} | more, trust_env=False)
            for more in ({"upscale": 2}, {})
        )

    assert problem_of(refused)["code"] == "queue_full"
    assert plain.status_code == 202


def test_what_was_upscaled_is_upscaled_again_but_not_varied(
    http: httpx.Client, image_id: str, worker: Worker, store: JobStore
) -> None:
    upscaled(http, image_id, factor=4)
    job = worker.claims.claim_next(UPSCALER, "cpu-1")
    assert job
    [image] = store.get(image_id.partition("-")[0]).images
    worker.claims.succeed(job, [image.model_copy(update={"width": 256, "height": 512})])

    again = upscaled(http, f"{job.id}-0")
    varied = http.post(f"/images/{job.id}-0/variations")

    assert (again["request"]["width"], again["request"]["height"]) == (512, 1024)
    assert problem_of(varied)["code"] == "task_unsupported"
