"""The API served over real HTTP, and a worker that is nothing but the job store's own moves."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from tests.api.serving import Serving, serving
from tests.api.worker import Worker

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def api(settings: Settings) -> Iterator[Serving]:
    with serving(settings) as it:
        yield it


@pytest.fixture
def http(api: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def shared_api(embedded_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """For tests that do not mind what others left behind."""
    settings = Settings(redis_url=embedded_redis_url, data_dir=tmp_path_factory.mktemp("shared-api"))
    with serving(settings) as it:
        yield it


@pytest.fixture
def shared_http(shared_api: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared_api.url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def ask(http: httpx.Client) -> Ask:
    """POST /generate, and the job that it answers with."""

    def post(**fields: object) -> dict[str, Any]:
        answer = http.post("/generate", json={"prompt": "a red circle"} | fields)
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    return post


@pytest.fixture
def worker(api: Serving, client: Client, settings: Settings) -> Worker:
    return Worker(client, settings, api.services.storage)
