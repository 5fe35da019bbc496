"""The example units for machines without containers."""

from configparser import RawConfigParser
from pathlib import Path

import pytest

from darkroom.settings import Settings

WORKERS = ("darkroom-cpu-worker.service", "darkroom-gpu-worker@.service")
UNITS = (*WORKERS, "darkroom-api.service")


def _unit(repository: Path, name: str) -> RawConfigParser:
    # A unit may name a key more than once; the last one is enough here.
    unit = RawConfigParser(strict=False, comment_prefixes=("#",))
    unit.read(repository / "deploy" / "systemd" / name)
    return unit


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_restarts_its_process_and_does_not_run_it_as_root(repository: Path, name: str) -> None:
    service = _unit(repository, name)["Service"]

    assert service["Restart"] == "always"
    assert service["User"] == "darkroom"
    assert service["NoNewPrivileges"] == "yes"


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_longer_to_stop_than_it_takes_to_hand_back_its_jobs(repository: Path, name: str) -> None:
    stop_s = int(_unit(repository, name)["Service"]["TimeoutStopSec"])

    assert stop_s > Settings().grace_s
