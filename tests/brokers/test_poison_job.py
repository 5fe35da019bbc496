"""A request that kills every worker that draws it, in a batch with others, on real workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cpu_worker.housekeeping import Housekeeper
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.jobs import JobState
from storage.opening import open_storage
from tests.brokers.deployment import Deployment, deployment
from tests.eventually import eventually

PROMPT = "a request that kills its worker"
# Steps enough that all are drawn together.
LONG = {"steps": 40}
NAMES = ("one", "other")


@pytest.fixture
def deployed(broker_env: dict[str, str], repository: Path, tmp_path: Path) -> Iterator[Deployment]:
    env = {
        **broker_env,
        "DARKROOM_LEASE_S": "1",
        "DARKROOM_LANES": "8",
        "DARKROOM_TEST_CRASH_PROMPT": PROMPT,
        "PYTHONPATH": str(repository),  # where the workers of these tests are
    }
    with deployment(tmp_path, env) as deployed:
        yield deployed


def supervise(deployed: Deployment) -> None:
    """Starts what has ended, as its supervisor would."""
    alive = {worker.name for worker in deployed.workers if worker.is_alive}
    for name in {*NAMES} - alive:
        deployed.start(name, "tests.brokers.crashing", "--quiet", "worker", "-n", f"{name}@test")


def test_a_request_that_kills_its_workers_takes_none_of_its_neighbours_along(deployed: Deployment) -> None:
    housekeeper = Housekeeper(deployed.upkeep, open_storage(deployed.settings), deployed.wakeups)
    ids = [deployed.post(**LONG), deployed.post(**LONG, prompt=PROMPT), *(deployed.post(**LONG) for _ in range(3))]
    poison = ids[1]

    def all_have_ended() -> bool:
        supervise(deployed)
        housekeeper.keep_house()
        return all(deployed.store.get(job_id).state.is_final for job_id in ids)

    eventually(all_have_ended, 120)

    job = deployed.store.get(poison)
    assert job.failure
    assert (job.state, job.failure.code) == (JobState.FAILED, "worker_lost")
    assert {deployed.store.get(job_id).state for job_id in ids if job_id != poison} == {JobState.SUCCEEDED}
    [letter] = DeadLetters(deployed.client, deployed.store).all()
    assert letter.job.id == poison
    assert [entry.reason for entry in letter.history] == ["worker_lost"] * 3
