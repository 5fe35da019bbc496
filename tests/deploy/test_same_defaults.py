"""What the deployment files set differs from the settings' own defaults only where it is meant to.

A worker in a container once had one lane, which is no batching, since a default had been written down twice.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from darkroom.settings import Settings

COMPOSE_FILES = ("docker-compose.yml", "deploy/docker-compose.rabbitmq.yml")
# Where containers, and units on servers, mean to differ, and why.
INTENDED = {
    "DARKROOM_REDIS_URL": "a service of its own, behind a password",
    "DARKROOM_BROKER_URL": "RabbitMQ, where its file is used",
    "DARKROOM_STORAGE": "containers share no folder",
    "DARKROOM_S3_ENDPOINT_URL": "the store that is started beside",
    "DARKROOM_S3_PUBLIC_ENDPOINT_URL": "as clients see it",
    "DARKROOM_S3_ADDRESSING_STYLE": "the store has no wildcard name",
    "DARKROOM_S3_ACCESS_KEY_ID": "asked for",
    "DARKROOM_S3_SECRET_ACCESS_KEY": "asked for",
    "DARKROOM_HOST": "a container's loopback cannot be reached",
    "DARKROOM_PUBLIC_URL": "as clients see it",
    "DARKROOM_API_KEYS": "asked for",
    "DARKROOM_DEVICE": "the profile cpu has no card",
    "DARKROOM_DATA_DIR": "a volume, or a folder of the system",
    "DARKROOM_LOG_FORMAT": "read by machines there",
    "DARKROOM_FLOWER": "it is one of the services",
}
Values = Callable[[Path], Iterator[tuple[str, str]]]
DEFAULTED = re.compile(r"\$\{\w+:-([^}]*)\}")


def field_of(name: str) -> str:
    return name.removeprefix("DARKROOM_").lower()


def default_of(name: str) -> Any:
    return Settings.model_fields[field_of(name)].get_default()


def read(name: str, text: str) -> Any:
    """As the setting understands it."""
    return getattr(Settings.model_validate({field_of(name): text}), field_of(name))


def compose_values(repository: Path) -> Iterator[tuple[str, str]]:
    """Every setting of every service, as it is where the operator says nothing."""
    for file in COMPOSE_FILES:
        for service in YAML(typ="safe").load(repository / file)["services"].values():
            for name, value in service.get("environment", {}).items():
                if name.startswith("DARKROOM_"):
                    yield name, DEFAULTED.sub(r"\1", str(value))


def commented_values(repository: Path) -> Iterator[tuple[str, str]]:
    """What the example shows commented out, and what images and units set."""
    for file in (".env.example", "Dockerfile", "Dockerfile.gpu", *_units(repository)):
        yield from re.findall(r"\b(DARKROOM_\w+)=\"?([^\s\"\\]+)", (repository / file).read_text())


def _units(repository: Path) -> list[str]:
    return [str(path.relative_to(repository)) for path in (repository / "deploy" / "systemd").iterdir()]


@pytest.mark.parametrize("values", [compose_values, commented_values])
def test_a_setting_that_is_written_down_has_its_own_default_or_a_reason(repository: Path, values: Values) -> None:
    written = {pair for pair in values(repository) if pair[0] not in INTENDED}

    differing = [(name, text) for name, text in sorted(written) if read(name, text) != default_of(name)]

    assert written
    assert differing == []


def test_every_intended_difference_is_one(repository: Path) -> None:
    written = {name for values in (compose_values, commented_values) for name, _ in values(repository)}

    assert [name for name in INTENDED if name not in written] == []


def test_the_check_would_have_found_the_one_lane() -> None:
    assert read("DARKROOM_LANES", "1") != default_of("DARKROOM_LANES")
    assert read("DARKROOM_LANES", "32") == default_of("DARKROOM_LANES")
