"""Workers that are told to leave while they have jobs, on both brokers. No housekeeper runs here."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from darkroom.errors import JobIsFinal
from darkroom.job_store import keys
from darkroom.jobs import Job, JobState
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.workers import WorkerProcess
from tests.eventually import eventually

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# Many seconds of work.
LONG = {"width": 128, "height": 128, "steps": 60, "n": 8}
SHORT = {"steps": 8}
# A worker has 5 s to stop in order before it leaves behind what hangs, and 5 s more for its jobs.
PROMPT_S = 20


class LeavingDeployment:
    """Two workers that can be made to hang. A worker that has ended is started again when it is asked for."""

    def __init__(self, deployed: Deployment) -> None:
        self.deployed = deployed
        self.workers: dict[str, WorkerProcess] = {}

    def running(self, **env: dict[str, str]) -> None:
        for name, more in env.items():
            if name not in self.workers or not self.workers[name].is_alive:
                self.workers[name] = self._start(name, more)
        self.deployed.wait_for_workers(*env)

    def restart(self, name: str) -> None:
        worker = self.workers[name]
        assert worker.exit_code() == 0, worker.said
        assert "worker.draining" in worker.said
        self.running(**{name: {}})

    def holder_of(self, job: Job) -> WorkerProcess:
        return self.workers[str(job.worker).partition("@")[0]]

    def _start(self, name: str, more: dict[str, str]) -> WorkerProcess:
        # One that was killed would be seen for some seconds more, and be taken for its successor.
        self.deployed.client.hdel(keys.WORKERS(), f"{name}@test")
        self.deployed.workers = [worker for worker in self.deployed.workers if worker.is_alive]
        arguments = ("--quiet", "worker", "-n", f"{name}@test")
        return self.deployed.start(name, "tests.brokers.hanging", *arguments, PYTHONPATH=str(REPOSITORY), **more)


@pytest.fixture(scope="module")
def leaving(broker_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeavingDeployment]:
    with deployment(tmp_path_factory.mktemp("leaving"), broker_env) as deployed:
        yield LeavingDeployment(deployed)


def another_has_it(deployed: Deployment, job: Job) -> None:
    eventually(lambda: deployed.store.get(job.id).worker not in {None, job.worker}, 20, what="another worker")
    assert deployed.store.get(job.id).attempt == job.attempt + 1


def no_longer_needed(deployed: Deployment, job: Job) -> None:
    with suppress(JobIsFinal):  # on a fast machine the other worker has finished it
        deployed.store.cancel(job.id)


def test_a_rolling_restart_under_load_loses_nothing_and_draws_nothing_twice(leaving: LeavingDeployment) -> None:
    deployed = leaving.deployed
    leaving.running(one={}, other={})

    first = [deployed.post(**SHORT) for _ in range(15)]
    deployed.wait_for_step(first[0])
    leaving.workers["one"].send(signal.SIGTERM)
    leaving.restart("one")
    second = [deployed.post(**SHORT) for _ in range(15)]
    deployed.wait_for_step(second[0])
    deployed.app.control.shutdown(destination=["other@test"])
    leaving.restart("other")

    for job_id in first + second:
        job = deployed.wait_for_end(job_id)
        assert (job.state, len(job.images)) == (JobState.SUCCEEDED, 1)
        assert [event for event in deployed.events(job_id) if event != "step"] == ["started", "succeeded"]


def test_told_twice_a_worker_that_hangs_gives_its_jobs_back_and_ends_well(leaving: LeavingDeployment) -> None:
    leaving.running(one={}, other={})
    started = leaving.deployed.wait_for_step(leaving.deployed.post(**LONG))
    holder = leaving.holder_of(started)
    holder.send(signal.SIGUSR2)

    holder.send(signal.SIGTERM)
    eventually(lambda: "worker.draining" in holder.said)
    assert holder.is_alive, "its job may finish within the grace period"
    holder.send(signal.SIGTERM)

    assert holder.exit_code(PROMPT_S) == 0, holder.said
    another_has_it(leaving.deployed, started)
    no_longer_needed(leaving.deployed, started)


def test_a_worker_that_hangs_ends_well_when_its_grace_period_is_over(leaving: LeavingDeployment) -> None:
    hasty = {"DARKROOM_GRACE_S": "0.1"}
    for worker in leaving.workers.values():
        worker.end()
    leaving.running(one=hasty, other=hasty)
    started = leaving.deployed.wait_for_step(leaving.deployed.post(**LONG))
    holder = leaving.holder_of(started)
    holder.send(signal.SIGUSR2)

    holder.send(signal.SIGTERM)

    assert holder.exit_code(PROMPT_S) == 0, holder.said
    another_has_it(leaving.deployed, started)
    no_longer_needed(leaving.deployed, started)
