"""A job whose wake-up could not be published is taken back, unless somebody else was told of it meanwhile."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import Serving, serving
from tests.eventually import eventually
from tests.servers import free_port

RED = {"prompt": "a red circle"}
SAME = {"Idempotency-Key": "k"}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Connections are taken, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def api_with_broker_at(port: int, settings: Settings) -> Settings:
    return settings.model_copy(update={"broker_url": f"amqp://guest:guest@127.0.0.1:{port}//"})


def ask(api: Serving) -> httpx.Response:
    return httpx.post(f"{api.url}/generate", json=RED, headers=SAME, trust_env=False, timeout=30)


def test_a_job_that_a_second_request_was_answered_with_stays(
    settings: Settings, client: Client, silent_port: int
) -> None:
    with serving(api_with_broker_at(silent_port, settings)) as api, ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, api)
        eventually(lambda: client.keys(keys.JOB("*")), what="a job whose wake-up is still on its way")

        second = ask(api)

        job_id = second.json()["id"]
        assert (second.status_code, first.result().status_code) == (202, 202)
        assert first.result().json()["id"] == job_id
        assert httpx.get(f"{api.url}/jobs/{job_id}", trust_env=False).json()["status"] == "queued"


def test_a_request_that_comes_after_the_refusal_is_refused_alike_and_then_makes_a_job_of_its_own(
    settings: Settings,
) -> None:
    with serving(api_with_broker_at(free_port(), settings)) as api:
        refused = [ask(api), ask(api)]
    with serving(settings) as api:
        taken = ask(api)
        jobs = httpx.get(f"{api.url}/jobs", trust_env=False).json()["jobs"]

    assert [problem_of(answer)["code"] for answer in refused] == ["broker_unavailable"] * 2
    assert taken.status_code == 202
    assert [job["id"] for job in jobs] == [taken.json()["id"]]
