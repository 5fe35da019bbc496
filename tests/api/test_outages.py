"""What a client hears while a part is away, and that the API comes back by itself when the part does."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from darkroom.job_store import keys
from darkroom.job_store.redis_client import connect
from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving
from tests.api.watching import next_of, watching
from tests.api.worker import Worker
from tests.eventually import eventually
from tests.redis_of_our_own import redis_of_our_own
from tests.servers import RedisServer

RED = {"prompt": "a red circle"}
# Far more than the refusal of a closed socket takes, far less than a client would wait.
SOON_S = 3.0


@pytest.fixture
def redis_server_of_our_own(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_of_our_own(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def settings(redis_server_of_our_own: RedisServer, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_server_of_our_own.url, data_dir=tmp_path / "data")


@pytest.fixture
def api(settings: Settings) -> Iterator[Serving]:
    with serving(settings) as it:
        yield it


def test_while_redis_is_away_each_request_is_told_to_come_back(
    http: httpx.Client, redis_server_of_our_own: RedisServer
) -> None:
    job_id = http.post("/generate", json=RED).json()["id"]
    redis_server_of_our_own.process.stop()

    began = time.monotonic()
    answers = [
        http.post("/generate", json=RED),
        http.get("/jobs"),
        http.get(f"/jobs/{job_id}"),
        http.get(f"/jobs/{job_id}/events"),
        http.post(f"/jobs/{job_id}/cancel"),
        http.delete(f"/jobs/{job_id}"),
        http.get(f"/images/{job_id}-0"),
        http.get("/models"),
    ]
    took_s = time.monotonic() - began
    alive, ready = http.get("/healthz"), http.get("/readyz")

    assert [(answer.status_code, problem_of(answer)["code"]) for answer in answers] == [(503, "redis_unavailable")] * 8
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert took_s < 8 * SOON_S
    assert alive.status_code == 200
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
    assert ready.json()["checks"] == {"redis": "redis_unavailable", "broker": "broker_unavailable", "storage": "ok"}


def test_the_api_goes_on_when_redis_is_back(http: httpx.Client, redis_server_of_our_own: RedisServer) -> None:
    before = http.post("/generate", json=RED).json()["id"]
    redis_server_of_our_own.process.stop()
    assert http.post("/generate", json=RED).status_code == 503

    redis_server_of_our_own.process.start()

    assert http.get("/readyz").json()["status"] == "ready"
    after = http.post("/generate", json=RED)
    assert after.status_code == 202
    assert [job["id"] for job in http.get("/jobs").json()["jobs"]] == [after.json()["id"], before]


def ready(api: Serving) -> bool:
    return httpx.get(f"{api.url}/readyz", trust_env=False).status_code == 200


def test_an_api_that_starts_before_redis_serves_as_soon_as_it_is_there(
    settings: Settings, redis_server_of_our_own: RedisServer
) -> None:
    redis_server_of_our_own.process.stop()

    with serving(settings) as api:
        early = httpx.get(f"{api.url}/readyz", trust_env=False)
        redis_server_of_our_own.process.start()
        late = eventually(lambda: ready(api), what="/readyz")

    assert early.status_code == 503
    assert late


def test_a_watcher_resumes_after_a_restart_of_redis(
    http: httpx.Client, api: Serving, settings: Settings, redis_server_of_our_own: RedisServer
) -> None:
    job_id = http.post("/generate", json=RED).json()["id"]
    with connect(settings.redis_url) as client:
        worker = Worker(client, settings, api.services.storage)
        job = worker.claim()
        worker.step(job, 1)
        with watching(http, job_id) as events:
            last = next_of("step", events)
            redis_server_of_our_own.process.stop()
            rest = list(events)
        redis_server_of_our_own.process.start()
        worker.step(job, 2)
        worker.finish(job)

    with watching(http, job_id, last.id) as events:
        resumed = [event.type for event in events]

    assert rest == []
    assert resumed == ["step", "succeeded"]


def test_a_client_that_waits_is_told_when_redis_goes(http: httpx.Client, redis_server_of_our_own: RedisServer) -> None:
    """The job is there all the same: with the same Idempotency-Key the client gets it later."""
    first = http.post("/generate", json=RED, headers={"Idempotency-Key": "k"}).json()["id"]
    redis_server_of_our_own.process.stop()
    away = http.post("/generate", json=RED, headers={"Idempotency-Key": "k", "Prefer": "wait=30"})
    redis_server_of_our_own.process.start()

    again = http.post("/generate", json=RED, headers={"Idempotency-Key": "k"})

    assert away.status_code == 503
    assert again.json()["id"] == first


def test_a_client_whose_job_was_accepted_and_who_waits_is_told_that_it_was_when_redis_goes(
    http: httpx.Client, settings: Settings, redis_server_of_our_own: RedisServer
) -> None:
    with connect(settings.redis_url) as client, ThreadPoolExecutor(1) as pool:
        waits = pool.submit(http.post, "/generate", json=RED, headers={"Prefer": "wait=60"})
        [name] = eventually(lambda: client.keys(keys.JOB("*")), what="a job")
        eventually(lambda: client.pubsub_channels(keys.ENDED("*")), what="somebody who watches it")
        redis_server_of_our_own.process.stop()

    answer = waits.result()

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert name == keys.JOB(answer.json()["id"])


def test_while_storage_is_away_no_job_is_deleted_without_its_images(
    http: httpx.Client, api: Serving, settings: Settings
) -> None:
    job_id = http.post("/generate", json=RED).json()["id"]
    with connect(settings.redis_url) as client:
        Worker(client, settings, api.services.storage).make_next()
    link = http.get(f"/jobs/{job_id}").json()["images"][0]["url"]
    elsewhere = settings.images_dir.rename(settings.images_dir.with_name("elsewhere"))
    settings.images_dir.symlink_to(elsewhere)  # which storage does not follow

    away = [http.delete(f"/jobs/{job_id}"), http.get(link)]
    taken = http.post("/generate", json=RED)
    settings.images_dir.unlink()
    elsewhere.rename(settings.images_dir)

    assert [problem_of(answer)["code"] for answer in away] == ["storage_unavailable"] * 2
    assert [answer.headers["retry-after"] for answer in away] == ["5", "5"]
    assert taken.status_code == 202
    assert http.get(link).status_code == 200
    assert http.delete(f"/jobs/{job_id}").status_code == 204


def test_storage_that_cannot_be_written_makes_the_api_unready(http: httpx.Client, settings: Settings) -> None:
    settings.images_dir.parent.mkdir(exist_ok=True)
    settings.images_dir.write_text("a file where the folder should be")

    ready = http.get("/readyz")

    assert ready.status_code == 503
    assert ready.json()["checks"] == {"redis": "ok", "broker": "ok", "storage": "storage_unavailable"}
