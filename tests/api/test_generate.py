"""POST /generate: a job at once, one job for one wish, and none where it could not be queued."""

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import redis
from pydantic import SecretStr

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from tests.api.conftest import Ask
from tests.api.problems import problem_of
from tests.api.serving import serving
from tests.api.worker import Worker
from tests.eventually import eventually
from tests.servers import free_port

RED = {"prompt": "a red circle"}

CELERY_S = pytest.mark.skipif(os.environ.get("DARKROOM_QUEUE") == "arq", reason="Celery's messages and brokers.")


def test_the_answer_comes_before_any_work(http: httpx.Client) -> None:
    answer = http.post("/generate", json=RED | {"seed": 7, "n": 2})

    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == job["links"]["self"]
    assert (job["status"], job["queue_position"], job["seed"], job["attempt"]) == ("queued", 0, 7, 0)
    assert job["images"] == []
    assert job["notice"] == "No worker serves minilab now. The job waits until one does."
    assert http.get(answer.headers["location"]).json() == job


def test_what_is_left_out_comes_from_the_model_s_card(ask: Ask) -> None:
    job = ask()

    assert job["request"] | {"seed": None} == {
        "model": "minilab", "prompt": "a red circle", "negative_prompt": None, "width": 128, "height": 128,
        "steps": 20, "guidance_scale": 2.0, "seed": None, "n": 1, "scheduler": "dpmpp_2m", "output_format": "png",
        "priority": "interactive", "preview_every": 0, "step_reuse": "off",
        "deadline_s": None, "output_quality": None, "task": "text-to-image", "image": [], "mask": None,
        "strength": None, "controlnet": None, "control_image": None, "control_scale": None, "fit": "crop",
        "upscale": None,
    }  # fmt: skip
    assert 0 <= job["seed"] < 2**32


def test_seeds_are_drawn_anew_for_each_job(ask: Ask) -> None:
    assert len({ask()["seed"] for _ in range(5)}) == 5


@CELERY_S
def test_each_job_sends_one_wake_up_in_json_to_its_model_s_queue(ask: Ask, settings: Settings) -> None:
    jobs = [ask(), ask(model="sdxl")]

    with redis.Redis.from_url(settings.redis_url.replace("db=0", "db=1")) as broker:
        [minilab], [sdxl] = (
            [json.loads(message) for message in broker.lrange(queue, 0, -1)] for queue in ("gpu.minilab", "gpu.sdxl")
        )
    assert minilab["content-type"] == "application/json"
    assert minilab["headers"]["task"] == "darkroom.generate"
    kwargs = [json.loads(base64.b64decode(message["body"]))[1] for message in (minilab, sdxl)]
    assert kwargs == [
        {"model": "minilab", "cause": jobs[0]["id"]},
        {"model": "sdxl", "cause": jobs[1]["id"]},
    ]


def test_an_estimate_is_given_once_a_worker_has_shown_its_speed(ask: Ask, worker: Worker) -> None:
    worker.sign_on()
    ask()
    worker.make_next()

    first, second = ask(), ask()

    assert first["notice"] is None
    assert (first["queue_position"], second["queue_position"]) == (0, 1)
    assert 0 <= first["eta_s"] <= second["eta_s"]


def test_the_same_key_and_body_give_the_same_job(http: httpx.Client, client: Client) -> None:
    first, again = (http.post("/generate", json=RED, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["seed"] == first.json()["seed"]
    assert len(http.get("/jobs").json()["jobs"]) == 1


def test_the_same_key_at_the_same_time_gives_one_job(http: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(
            pool.map(
                lambda _: http.post("/generate", json=RED, headers={"Idempotency-Key": "k"}).json()["id"], range(16)
            )
        )

    assert len(ids) == 1


def test_a_repeat_of_a_finished_job_answers_with_its_images(http: httpx.Client, worker: Worker) -> None:
    http.post("/generate", json=RED, headers={"Idempotency-Key": "k"})
    worker.make_next()

    again = http.post("/generate", json=RED, headers={"Idempotency-Key": "k"})

    assert again.status_code == 200
    assert len(again.json()["images"]) == 1


def test_the_same_key_with_another_body_is_a_conflict(http: httpx.Client) -> None:
    http.post("/generate", json=RED, headers={"Idempotency-Key": "k"})

    answer = http.post("/generate", json=RED | {"steps": 5}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 409
    assert problem_of(answer)["code"] == "idempotency_conflict"


def test_a_deleted_job_s_key_makes_a_new_one(http: httpx.Client) -> None:
    first = http.post("/generate", json=RED, headers={"Idempotency-Key": "k"}).json()
    http.delete(f"/jobs/{first['id']}")

    second = http.post("/generate", json=RED, headers={"Idempotency-Key": "k"}).json()

    assert second["id"] != first["id"]


def test_two_owners_may_use_the_same_key(settings: Settings) -> None:
    keys = {"alice": "a" * 16, "bob": "b" * 16}
    listed = SecretStr(",".join(f"{owner}:{key}" for owner, key in keys.items()))

    with serving(settings.model_copy(update={"api_keys": listed})) as api:
        ids = {
            httpx.post(
                f"{api.url}/generate",
                json=RED,
                headers={"Idempotency-Key": "k", "Authorization": f"Bearer {key}"},
                trust_env=False,
            ).json()["id"]
            for key in keys.values()
        }

    assert len(ids) == 2


def test_a_client_that_waits_gets_the_finished_job(http: httpx.Client, worker: Worker) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: http.post("/generate", json=RED, headers={"Prefer": "wait=30"}))
        job = eventually(lambda: worker.claims.claim_next("minilab", "gpu-1"))
        assert job
        worker.finish(job)
        answer = waiting.result(timeout=20)

    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=30"
    assert (answer.json()["status"], len(answer.json()["images"])) == ("succeeded", 1)


def test_a_client_that_waited_long_enough_gets_the_job_as_it_stands(http: httpx.Client) -> None:
    answer = http.post("/generate", json=RED, headers={"Prefer": "respond-async, wait=1"})

    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=1"
    assert answer.json()["status"] == "queued"


def test_a_full_line_says_when_to_come_back(settings: Settings) -> None:
    with serving(settings.model_copy(update={"max_waiting_per_key": 2})) as api:
        answers = [httpx.post(f"{api.url}/generate", json=RED, trust_env=False) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert problem_of(answers[2])["code"] == "waiting_limit"
    assert int(answers[2].headers["retry-after"]) >= 1


@pytest.mark.parametrize("scheme", ["redis", pytest.param("amqp", marks=CELERY_S)])
def test_without_a_broker_there_is_no_job_either(scheme: str, settings: Settings, client: Client) -> None:
    broker_url = f"{scheme}://127.0.0.1:{free_port()}/0"

    with serving(settings.model_copy(update={"broker_url": broker_url})) as api:
        answer = httpx.post(f"{api.url}/generate", json=RED, headers={"Idempotency-Key": "k"}, trust_env=False)
        jobs = httpx.get(f"{api.url}/jobs", trust_env=False).json()["jobs"]

    assert answer.status_code == 503
    assert problem_of(answer)["code"] == "broker_unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    assert jobs == []
    assert {key for key in client.keys("*") if client.ttl(key) < 0} <= {keys.MODELS(), keys.ROOM()}


def test_a_refused_request_leaves_nothing_behind(http: httpx.Client, client: Client) -> None:
    http.post("/generate", json=RED | {"steps": 0})

    assert client.keys("*") == []


def test_when_a_key_was_last_used_is_noted_behind_the_answer(ask: Ask, client: Client) -> None:
    ask()

    used_s = eventually(lambda: client.hget(keys.KEYS_USED(), "anonymous"))

    assert int(used_s) > 1_700_000_000
