"""Fixtures that every test may use. What needs a service that a laptop may lack stands in `services.py`."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import redis

from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.local.embedded_redis import embedded_redis
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import Settings

MakeRequest = Callable[..., ImageRequest]

pytest_plugins = ["tests.services", "tests.worker_fixtures", "tests.running_stack"]

# Read when torch is imported, later: idle threads of tiny networks sleep instead of spinning beside others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# An example that a busy machine runs late is not a failure.
hypothesis.settings.register_profile("darkroom", deadline=None)
hypothesis.settings.load_profile("darkroom")


@pytest.fixture(scope="session")
def embedded_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real Redis for the whole run, on a Unix socket."""
    with embedded_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(embedded_redis_url: str) -> str:
    """The same server, emptied for each test."""
    with redis.Redis.from_url(embedded_redis_url) as client:
        client.flushall()
    return embedded_redis_url


@pytest.fixture
def repository() -> Path:
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_url, data_dir=tmp_path / "data", max_waiting_per_model=50, max_waiting_per_key=40)


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def store(client: Client, settings: Settings) -> JobStore:
    return JobStore(client, settings)


@pytest.fixture
def claims(client: Client, settings: Settings) -> Claims:
    return Claims(client, settings)


@pytest.fixture
def upkeep(client: Client, settings: Settings) -> Upkeep:
    return Upkeep(client, settings)


@pytest.fixture
def request_of() -> MakeRequest:
    return image_request


def image_request(**changes: object) -> ImageRequest:
    """Of one megapixel-step, but for what is named."""
    fields: dict[str, object] = {
        "model": "minilab",
        "prompt": "a red circle",
        "negative_prompt": None,
        "width": 1000,
        "height": 1000,
        "steps": 1,
        "guidance_scale": 2.0,
        "seed": 7,
        "n": 1,
        "scheduler": "dpmpp_2m",
        "output_format": OutputFormat.PNG,
        "priority": Priority.INTERACTIVE,
    }
    return ImageRequest.model_validate(fields | changes)
