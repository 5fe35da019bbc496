"""Workers on ARQ that cannot start say so in one line, and end."""

from pathlib import Path

import pytest

from tests.brokers.deployment import Deployment, deployment
from tests.brokers.workers import WorkerProcess
from tests.servers import RedisServer

pytestmark = pytest.mark.redis


def refusal(folder: Path, server: RedisServer, kind: str, **env: str) -> str:
    """The one line that says why."""
    with deployment(folder, {"DARKROOM_REDIS_URL": server.url, "DARKROOM_QUEUE": "arq"}) as deployed:
        worker = start(deployed, kind, env)
        assert worker.exit_code(60) == 1, worker.said
        assert "Traceback" not in worker.said
        return worker.said


def start(deployed: Deployment, kind: str, env: dict[str, str]) -> WorkerProcess:
    return deployed.gpu_worker(**env) if kind == "gpu" else deployed.cpu_worker(**env)


def test_a_model_that_is_not_in_the_catalogue(redis_server: RedisServer, tmp_path: Path) -> None:
    said = refusal(tmp_path, redis_server, "gpu", DARKROOM_GPU_MODELS="minilap")

    assert "no model 'minilap'" in said


def test_more_models_than_a_worker_has_queues(redis_server: RedisServer, tmp_path: Path) -> None:
    said = refusal(tmp_path, redis_server, "gpu", DARKROOM_GPU_MODELS="minilab,sdxl")

    assert "Start a worker for each" in said


@pytest.mark.parametrize("kind", ["gpu", "cpu"])
def test_messages_that_go_to_celery(redis_server: RedisServer, tmp_path: Path, kind: str) -> None:
    assert "This is an ARQ worker" in refusal(tmp_path, redis_server, kind, DARKROOM_QUEUE="celery")


@pytest.mark.parametrize("kind", ["gpu", "cpu"])
def test_a_broker_that_is_rabbitmq(redis_server: RedisServer, tmp_path: Path, kind: str) -> None:
    said = refusal(tmp_path, redis_server, kind, DARKROOM_BROKER_URL="amqp://guest:guest@127.0.0.1//")

    assert "ARQ runs on Redis alone" in said
    assert "guest" not in said
