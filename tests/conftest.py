"""Fixtures that every test may use. What needs a service that a laptop may lack stands in `services.py`."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis

from darkroom.local.embedded_redis import embedded_redis

pytest_plugins = ["tests.services"]

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
