"""Deployments whose messages ARQ carries. They need an environment in which ARQ is installed: `make arq`."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis

from tests.brokers.deployment import Deployment, deployment
from tests.servers import RedisServer

Deploy = Callable[..., Deployment]


@pytest.fixture(scope="session", autouse=True)
def arq_is_installed() -> None:
    if importlib.util.find_spec("arq"):
        return
    if os.environ.get("DARKROOM_QUEUE") == "arq":
        pytest.fail("DARKROOM_QUEUE is arq, and this environment has no ARQ. `make arq` makes one that has.")
    pytest.skip("ARQ and Celery cannot be installed together: `make arq` runs these.")


@pytest.fixture(scope="module")
def arq_deployment(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    """Makes a deployment whose job store and broker are one real Redis, empty at first."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    with ExitStack() as stack:

        def deploy(**env: str) -> Deployment:
            told = {"DARKROOM_REDIS_URL": redis_server.url, "DARKROOM_QUEUE": "arq", **env}
            return stack.enter_context(deployment(tmp_path_factory.mktemp("arq"), told))

        yield deploy
