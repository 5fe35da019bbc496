"""What is started, and what it is told."""

from pathlib import Path

import pytest

from darkroom.errors import Misconfigured
from darkroom.local.demo.demo import demo_environment, demo_settings
from darkroom.local.demo.demo_client import Order
from darkroom.local.flower_access import FlowerAccess, flower_access
from darkroom.local.stack import local_stack
from darkroom.local.worker_command import gpu_worker
from darkroom.settings import Settings

SOCKET = Path("/tmp/d/redis.sock")


def test_redis_is_what_the_others_stand_on() -> None:
    parts = local_stack(Settings(), {}, SOCKET).parts

    assert [(part.name, part.is_foundation) for part in parts] == [
        ("redis", True),
        ("api", False),
        ("gpu", False),
        ("cpu", False),
    ]


def test_every_part_keeps_the_environment_and_is_told_where_redis_and_the_data_are() -> None:
    settings = Settings(port=8123, data_dir=Path("elsewhere"))
    api = local_stack(settings, {"PATH": "/bin", "DARKROOM_REDIS_URL": "redis://production"}, SOCKET).parts[1]

    assert api.environment["PATH"] == "/bin"
    assert api.environment["DARKROOM_REDIS_URL"] == "unix:///tmp/d/redis.sock?db=0"
    assert api.environment["DARKROOM_DATA_DIR"] == str(Path("elsewhere").resolve())
    assert api.environment["DARKROOM_PORT"] == "8123"


def test_warnings_that_somebody_asked_for_stay() -> None:
    api = local_stack(Settings(), {"PYTHONWARNINGS": "error"}, SOCKET).parts[1]

    assert api.environment["PYTHONWARNINGS"].startswith("error,ignore:You're running")


def test_a_gpu_worker_subscribes_to_its_models() -> None:
    command = " ".join(gpu_worker("celery", ["minilab", "sdxl"]).command)

    assert " -m celery -A gpu_worker.app " in command
    assert command.endswith(" -Q gpu.minilab,gpu.sdxl -n gpu@%h")


def test_on_arq_each_model_has_a_worker_since_each_worker_has_one_queue() -> None:
    parts = local_stack(Settings(queue="arq", gpu_models=("minilab", "sdxl")), {}, SOCKET).parts

    workers = {part.name: part for part in parts if "arq" in part.command}
    assert sorted(workers) == ["cpu", "gpu-minilab", "gpu-sdxl"]
    assert workers["gpu-sdxl"].command[1:] == ("-m", "arq", "gpu_worker.arq_app.WorkerSettings")
    assert workers["gpu-sdxl"].environment["DARKROOM_GPU_MODELS"] == "sdxl"
    assert workers["gpu-sdxl"].environment["DARKROOM_WORKER_NAME"].startswith("gpu-sdxl@")
    assert {part.environment["DARKROOM_QUEUE"] for part in parts if part.name != "redis"} == {"arq"}


def test_models_that_cannot_share_a_worker_on_arq_are_refused() -> None:
    with pytest.raises(Misconfigured, match="Start one for each of minilab, sdxl"):
        gpu_worker("arq", ["minilab", "sdxl"])


def test_messages_that_are_sent_are_told_of_only_where_flower_listens() -> None:
    def told(flower: FlowerAccess | None) -> set[str | None]:
        return {part.environment.get("DARKROOM_FLOWER") for part in local_stack(Settings(), {}, SOCKET, flower).parts}

    assert told(None) == {None}
    assert "true" in told(FlowerAccess(5555, "me:secret"))


def test_only_flower_knows_its_password() -> None:
    parts = local_stack(Settings(), {}, SOCKET, FlowerAccess(5555, "me:secret")).parts

    knowing = [part.name for part in parts if "me:secret" in part.environment.values()]
    assert knowing == ["flower"]
    assert not any("secret" in word for part in parts for word in part.command)


def test_flower_has_a_new_password_each_time_unless_one_is_given() -> None:
    assert flower_access({}, 5555).credentials != flower_access({}, 5555).credentials
    assert flower_access({"FLOWER_BASIC_AUTH": "me:mine"}, 5555).credentials == "me:mine"


def test_the_api_is_reached_on_loopback_when_it_binds_every_address() -> None:
    assert local_stack(Settings(host="0.0.0.0"), {}, SOCKET).url == "http://127.0.0.1:8000"


def test_a_demo_in_a_shell_for_production_touches_nothing_there() -> None:
    production = {"PATH": "/bin", "DARKROOM_STORAGE": "s3", "DARKROOM_API_KEYS": "a:b", "DARKROOM_DEVICE": "cuda:1"}

    assert demo_environment(production) == {"PATH": "/bin", "DARKROOM_DEVICE": "cuda:1"}


def test_a_demo_of_a_model_starts_a_worker_that_holds_it() -> None:
    settings = demo_settings(Settings(host="0.0.0.0"), Order(prompt="x", model="sdxl"), Path("d"), 8123)

    assert (settings.gpu_models, settings.host, settings.port) == (("sdxl",), "127.0.0.1", 8123)
