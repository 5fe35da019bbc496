"""Deleting jobs while storage takes connections and never answers."""

import asyncio
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.removal import Remover
from darkroom.access.access import ANONYMOUS
from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import serving
from tests.conftest import MakeRequest

RED = {"prompt": "a red circle"}
# More than twice the threads that all other requests share.
DELETES = 100


@pytest.fixture
def silent_s3() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=DELETES) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def settings(redis_url: str, tmp_path: Path, silent_s3: str) -> Settings:
    return Settings(
        redis_url=redis_url,
        data_dir=tmp_path / "data",
        storage="s3",
        s3_endpoint_url=silent_s3,
        s3_access_key_id="a" * 20,
        s3_secret_access_key="b" * 40,
    )


def test_a_hundred_deletes_that_hang_hold_up_nobody_else(settings: Settings, request_of: MakeRequest) -> None:
    with serving(settings) as api, ThreadPoolExecutor(1) as pool:
        with httpx.Client(base_url=api.url, trust_env=False, timeout=60) as http:
            ids = [api.services.store.enqueue(ANONYMOUS, request_of()).job.id for _ in range(DELETES)]
            deleting = pool.submit(lambda: asyncio.run(_delete_all(api.url, ids)))
            answers, slowest_s = 0, 0.0
            while not deleting.done():
                began = time.monotonic()
                assert http.get(f"/jobs/{ids[0]}").status_code == 200
                slowest_s, answers = max(slowest_s, time.monotonic() - began), answers + 1
        deleted = deleting.result()

    assert answers > 10
    assert slowest_s < 3
    assert {problem_of(answer)["code"] for answer in deleted} == {"storage_unavailable"}
    assert {answer.headers["retry-after"] for answer in deleted} == {"5"}


def test_a_job_whose_images_could_not_be_removed_is_canceled_and_still_there(settings: Settings) -> None:
    with serving(settings) as api, httpx.Client(base_url=api.url, trust_env=False, timeout=60) as http:
        services = api.services
        remover = Remover(services.store, services.storage, patience_s=0.2)
        api.app.state.services = replace(services, remover=remover)
        job_id = http.post("/generate", json=RED).json()["id"]

        answer = http.delete(f"/jobs/{job_id}")

        assert answer.status_code == 503
        assert http.get(f"/jobs/{job_id}").json()["status"] == "canceled"


async def _delete_all(url: str, ids: list[str]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=DELETES)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, limits=limits) as http:
        return await asyncio.gather(*(http.delete(f"/jobs/{job_id}") for job_id in ids))
