"""Beat inside a CPU worker (`-B`), a process of its own."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.brokers.conftest import Deploy
from tests.brokers.workers import WorkerProcess
from tests.eventually import eventually

pytestmark = pytest.mark.redis


@dataclass(frozen=True)
class Scheduling:
    worker: WorkerProcess
    beat: int


@pytest.fixture
def scheduling(redis_deployment: Deploy, tmp_path: Path) -> Iterator[Scheduling]:
    deployed = redis_deployment(DARKROOM_HOUSEKEEPING_PERIOD_S="1")
    worker = deployed.cpu_worker("cpu", "-B", "-s", str(tmp_path / "schedule"))
    deployed.wait_for_workers("cpu")
    (beat,) = eventually(lambda: children_of(worker.pid), what="beat")
    yield Scheduling(worker, beat)
    with suppress(ProcessLookupError):
        os.kill(beat, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def has_ended(pid: int) -> bool:
    """Also when nobody has asked yet how: a zombie."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_ends_with_a_worker_that_was_killed(scheduling: Scheduling) -> None:
    assert not has_ended(scheduling.beat)

    scheduling.worker.send(signal.SIGKILL)

    eventually(lambda: has_ended(scheduling.beat), 5, what="the end of beat")
