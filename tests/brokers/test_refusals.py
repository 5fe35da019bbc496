"""Workers that cannot start say so in one line, and end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.deployment import Deployment, deployment
from tests.servers import free_port


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Deployment]:
    """No Redis runs there: what is refused is refused before it is asked for."""
    with deployment(tmp_path, {"DARKROOM_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}) as deployed:
        yield deployed


def refusal(deployed: Deployment, kind: str, *arguments: str, **env: str) -> str:
    """The one line that says why."""
    start = deployed.gpu_worker if kind == "gpu" else deployed.cpu_worker
    worker = start("worker", *arguments, **env)
    assert worker.exit_code(60) == 1
    *before, line = worker.said.splitlines()
    assert all("[info" in earlier for earlier in before)
    return line


def test_a_model_that_is_not_in_the_catalogue(nowhere: Deployment) -> None:
    line = refusal(nowhere, "gpu", "-Q", "gpu.minilap")

    assert "no model 'minilap'" in line
    assert "minilab, sdxl" in line


def test_a_model_without_weights(nowhere: Deployment, tmp_path: Path) -> None:
    line = refusal(nowhere, "gpu", "-Q", "gpu.sdxl", HF_HOME=str(tmp_path / "hub"))

    assert "code=weights_missing" in line
    assert "hf download stabilityai/stable-diffusion-xl-base-1.0" in line


def test_a_queue_that_is_no_gpu_worker_s(nowhere: Deployment) -> None:
    assert "serves queues named gpu.MODEL" in refusal(nowhere, "gpu", "-Q", "gpu.minilab,cpu")


def test_a_queue_that_is_no_cpu_worker_s(nowhere: Deployment) -> None:
    assert "serves the queue cpu, not gpu.minilab" in refusal(nowhere, "cpu", "-Q", "cpu,gpu.minilab")


def test_without_a_choice_of_queues_the_models_of_the_settings_are_served(nowhere: Deployment) -> None:
    assert "no model 'b'" in refusal(nowhere, "gpu", DARKROOM_GPU_MODELS="b,minilab")


def test_a_choice_of_queues_stands_above_the_settings(nowhere: Deployment) -> None:
    assert "no model 'c'" in refusal(nowhere, "gpu", "-Q", "gpu.c", DARKROOM_GPU_MODELS="c,d")


@pytest.mark.parametrize("kind", ["gpu", "cpu"])
def test_a_setting_that_makes_no_sense(nowhere: Deployment, kind: str) -> None:
    assert "DARKROOM_LANES" in refusal(nowhere, kind, DARKROOM_LANES="several")


def test_a_storage_that_lacks_half_of_its_key(nowhere: Deployment) -> None:
    line = refusal(nowhere, "cpu", DARKROOM_STORAGE="s3", DARKROOM_S3_ACCESS_KEY_ID="half")

    assert "DARKROOM_S3_SECRET_ACCESS_KEY" in line


def test_a_queue_of_upscaling_where_nothing_can_upscale(nowhere: Deployment, without_network: dict[str, str]) -> None:
    line = refusal(nowhere, "cpu", "-Q", "cpu,cpu.upscale", **without_network)

    assert "no network to upscale with: pip install 'darkroom[upscale]'" in line


@pytest.mark.parametrize("kind", ["gpu", "cpu"])
def test_messages_that_go_to_arq(nowhere: Deployment, kind: str) -> None:
    assert "This is a Celery worker, and DARKROOM_QUEUE is arq" in refusal(nowhere, kind, DARKROOM_QUEUE="arq")
