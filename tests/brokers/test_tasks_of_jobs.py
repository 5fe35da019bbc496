"""What people see of jobs who look at Celery alone: its events, and how long its queues are."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.inputs import Input
from darkroom.job_store.inputs import InputRecords
from darkroom.jobs import JobState
from darkroom.messages.queues import GENERATE
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.task_events import TaskEvents
from tests.eventually import eventually

LANES = 4
PERIOD_S = 0.5
# Rounds of housekeeping on a busy machine; the cancels of the test go on for much longer.
LATELY_S = 10 * PERIOD_S
GONE = Input("upl_" + "0" * 24, 64, 64, has_alpha=False)


@pytest.fixture
def deployed(broker_env: dict[str, str], tmp_path: Path) -> Iterator[Deployment]:
    env = {"DARKROOM_LANES": str(LANES), "DARKROOM_HOUSEKEEPING_PERIOD_S": str(PERIOD_S)}
    with deployment(tmp_path, broker_env | env) as deployed:
        yield deployed


def test_flower_has_a_task_for_each_job_with_its_run_time_failed_where_the_job_failed(deployed: Deployment) -> None:
    # An input whose record is there, and whose file is not.
    InputRecords(deployed.client).keep(GONE, "alice", "0" * 64, for_s=600)
    with TaskEvents(deployed.app) as events:
        deployed.gpu_worker()
        deployed.wait_for_workers("gpu")
        fails = deployed.post(image=(GONE.id,), strength=0.5)
        draws = [deployed.post(seed=seed) for seed in range(6)]
        jobs = [deployed.wait_for_end(job_id) for job_id in (fails, *draws)]
        eventually(lambda: len(events.ended(GENERATE)) >= len(jobs), what="an event a job")
        ends = events.ended(GENERATE)

    assert [job.state for job in jobs] == [JobState.FAILED] + [JobState.SUCCEEDED] * len(draws)
    assert sorted(end.how for end in ends) == ["failed"] + ["succeeded"] * len(draws)
    assert [end.error for end in ends if end.how == "failed"] == ["JobFailed('input_missing')"]
    longest_s = max((job.finished_ms or 0) - job.created_ms for job in jobs) / 1000
    assert all(0 < (end.runtime_s or 0) < longest_s + 1 for end in ends if end.how == "succeeded")


def test_messages_are_no_more_than_jobs_wait_and_lanes_there_are_over_a_line_that_is_never_empty(
    deployed: Deployment,
) -> None:
    """Of three jobs two are canceled while they wait, and each leaves its message for a round of housekeeping."""
    deployed.gpu_worker()
    deployed.cpu_worker()
    deployed.wait_for_workers("gpu", "cpu")
    canceled_at_s: deque[float] = deque()
    shortest_line, excess = 1000, []

    for number in range(1100):
        job_id = deployed.post(seed=number, steps=1)
        if number % 3 and number > 30:
            deployed.store.cancel(job_id)
            canceled_at_s.append(time.monotonic())
        if number % 10 == 0 and number > 30:
            eventually(lambda: deployed.upkeep.waiting("minilab") < 40, 60, what="a shorter line")
            before, pending = deployed.upkeep.waiting("minilab"), deployed.wakeups.pending("minilab")
            shortest_line = min(shortest_line, before)
            lately = sum(at > time.monotonic() - LATELY_S for at in canceled_at_s)
            excess.append(pending - max(before, deployed.upkeep.waiting("minilab")) - lately)

    assert shortest_line > 0
    assert max(excess) <= LANES
    eventually(lambda: deployed.upkeep.waiting("minilab") + deployed.wakeups.pending("minilab") == 0, 60)
