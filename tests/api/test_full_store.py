"""A real Redis that is full: a client is told so by a code of its own, and a job that runs ends well."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from darkroom.job_store.redis_client import Client, connect
from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import serving
from tests.api.worker import Worker
from tests.servers import RedisServer

pytestmark = pytest.mark.redis

RED = {"prompt": "a red circle"}


@pytest.fixture
def settings(redis_server: RedisServer, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_server.url, data_dir=tmp_path / "data")


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with connect(settings.redis_url) as client:
        client.flushall()
        yield client
        client.config_set("maxmemory", "0")
        client.flushall()


def test_a_full_redis_refuses_new_jobs_and_loses_none(settings: Settings, client: Client) -> None:
    with serving(settings) as api, httpx.Client(base_url=api.url, trust_env=False) as http:
        running, waiting = http.post("/generate", json=RED).json()["id"], http.post("/generate", json=RED).json()["id"]
        worker = Worker(client, settings, api.services.storage)
        job = worker.claim()
        client.config_set("maxmemory", "1mb")

        refused = http.post("/generate", json=RED)
        worker.step(job, 1)
        worker.finish(job)
        worker.make_next()
        ends = [http.get(f"/jobs/{job_id}").json()["status"] for job_id in (running, waiting)]
        client.config_set("maxmemory", "0")
        taken = http.post("/generate", json=RED)

    assert (refused.status_code, problem_of(refused)["code"]) == (503, "job_store_full")
    assert int(refused.headers["retry-after"]) >= 1
    assert ends == ["succeeded", "succeeded"]
    assert taken.status_code == 202
