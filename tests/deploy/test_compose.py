"""The compose files, as far as that can be told without a container engine."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from darkroom.settings import Settings

COMPOSE_FILES = ("docker-compose.yml", "deploy/docker-compose.rabbitmq.yml")
ONE_SHOT = {"s3-volume", "s3-bucket"}
SECRET = re.compile(r"PASSWORD|SECRET|KEYS?\b|ACCESS_KEY_ID|TOKEN")


def _services(repository: Path, name: str) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = YAML(typ="safe").load(repository / name)["services"]
    return services


@pytest.fixture
def services(repository: Path) -> dict[str, dict[str, Any]]:
    return _services(repository, "docker-compose.yml")


def _references(repository: Path) -> Iterator[tuple[str, str]]:
    """Each `${NAME…}` of the compose files: the name, and what follows it."""
    for name in COMPOSE_FILES:
        yield from re.findall(r"\$\{(\w+)([^}]*)\}", (repository / name).read_text())


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_the_compose_file_follows_the_specification(repository: Path, name: str) -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", name]

    checked = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_every_service_is_pinned_hardened_and_watched(repository: Path, name: str) -> None:
    whole = {service: spec for service, spec in _services(repository, name).items() if "image" in spec}

    for service, spec in whole.items():
        assert re.search(r":v?\d+\.\d+\.\d+", spec["image"]), service
        assert spec["user"].split(":")[0] not in {"", "0", "root"}, service
        assert spec["cap_drop"] == ["ALL"], service
        assert spec["restart"] == ("no" if service in ONE_SHOT else "unless-stopped"), service
        assert ("healthcheck" in spec) is (service not in ONE_SHOT), service


def test_a_worker_has_longer_to_stop_than_it_takes_to_hand_back_its_jobs(services: Mapping[str, Any]) -> None:
    for service in ("cpu-worker", "gpu-worker", "gpu-worker-cpu"):
        spec = services[service]

        grace_s = Settings(grace_s=spec["environment"]["DARKROOM_GRACE_S"]).grace_s

        assert int(spec["stop_grace_period"].removesuffix("s")) > grace_s


def test_a_gpu_is_reserved_for_the_gpu_worker_alone(services: Mapping[str, Any]) -> None:
    reserving = {service for service, spec in services.items() if "deploy" in spec}

    [device] = services["gpu-worker"]["deploy"]["resources"]["reservations"]["devices"]

    assert reserving == {"gpu-worker"}
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}


@pytest.mark.parametrize("profile", ["gpu", "cpu"])
def test_each_profile_is_the_whole_service(services: Mapping[str, Any], profile: str) -> None:
    started = {service: spec for service, spec in services.items() if profile in spec.get("profiles", [profile])}

    commands = [" ".join(spec.get("command", [])) for spec in started.values()]
    needed = {name for spec in started.values() for name in spec.get("depends_on", {})}
    gpu_workers = [service for service, spec in started.items() if spec.get("build") and "gpu" in service]

    assert "python -m api" in commands
    assert len(gpu_workers) == 1
    assert needed <= set(started)


def test_redis_forgets_nothing(services: Mapping[str, Any]) -> None:
    command = " ".join(services["redis"]["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "maxmemory $$REDIS_MAXMEMORY" in command
    assert re.search(r":-\dgb}$", services["redis"]["environment"]["REDIS_MAXMEMORY"])
    assert services["redis"]["volumes"] == ["redis-data:/data"]


def test_nothing_is_published_to_the_world_unless_asked(services: Mapping[str, Any]) -> None:
    ports = [port for spec in services.values() for port in spec.get("ports", [])]

    assert len(ports) == 4
    assert all(port.startswith(("127.0.0.1:", "${BIND:-127.0.0.1}:")) for port in ports)


def test_no_secret_has_a_default(repository: Path) -> None:
    references = [(name, rest) for name, rest in _references(repository) if SECRET.search(name)]

    assert len(references) >= 8
    # HF_TOKEN is optional: empty means that there is none.
    assert all(rest.startswith(":?") or (name, rest) == ("HF_TOKEN", ":-") for name, rest in references)


def test_what_must_be_set_stands_empty_in_the_example(repository: Path) -> None:
    example = (repository / ".env.example").read_text()
    required = {name for name, rest in _references(repository) if rest.startswith(":?")}

    for name in required - {"RABBITMQ_PASSWORD"}:
        assert re.search(rf"^{name}=$", example, re.MULTILINE), name
