"""Deployments on real brokers. Each is told its broker by URL, and by nothing else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from darkroom.local.embedded_redis import embedded_redis
from tests.brokers.deployment import Deployment, deployment
from tests.servers import RabbitMQServer, RedisServer

Deploy = Callable[..., Deployment]
# A folder on the path before all others, in which ncnn is not to be found: as on a machine without the extra.
WITHOUT_NETWORK = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "ncnn" else find(name, package)
"""


@pytest.fixture
def redis_deployment(redis_server: RedisServer, tmp_path: Path) -> Iterator[Deploy]:
    """Makes a deployment whose job store and broker are one real Redis, empty at first."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    with ExitStack() as stack:

        def deploy(**env: str) -> Deployment:
            return stack.enter_context(deployment(tmp_path, {"DARKROOM_REDIS_URL": redis_server.url, **env}))

        yield deploy


@pytest.fixture(scope="module")
def without_network(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text(WITHOUT_NETWORK)
    return {"PYTHONPATH": str(folder)}


@pytest.fixture(
    scope="module",
    params=[pytest.param("redis", marks=pytest.mark.redis), pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)],
)
def broker_env(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What differs between a deployment on Redis and one on RabbitMQ. The job store is Redis in both."""
    if request.param == "redis":
        redis_server: RedisServer = request.getfixturevalue("redis_server")
        with redis.Redis.from_url(redis_server.url) as client:
            client.flushall()
        yield {"DARKROOM_REDIS_URL": redis_server.url}
    else:
        rabbitmq_server: RabbitMQServer = request.getfixturevalue("rabbitmq_server")
        with embedded_redis(tmp_path_factory.mktemp("store")) as url:
            yield {"DARKROOM_REDIS_URL": url, "DARKROOM_BROKER_URL": rabbitmq_server.url}
