"""A worker that was asked for more lanes than its forwards are worth."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.job_store.presence import present
from darkroom.workers import lanes_of
from tests.brokers.deployment import Deployment, deployment
from tests.eventually import eventually

ASKED_FOR = 64
LONG = {"width": 128, "height": 128, "steps": 100}


@pytest.fixture
def deployed(broker_env: dict[str, str], tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path, broker_env | {"DARKROOM_LANES": str(ASKED_FOR)}) as deployed:
        yield deployed


def test_it_says_how_many_it_has_and_takes_no_message_without_one(deployed: Deployment) -> None:
    deployed.gpu_worker()
    deployed.wait_for_workers("gpu")
    lanes = lanes_of(present(deployed.client), "minilab")
    assert 0 < lanes < ASKED_FOR, "for this test its forwards have to be narrower"

    jobs = [deployed.post(**LONG, seed=seed) for seed in range(lanes + 3)]
    deployed.wait_for_step(jobs[0])

    eventually(lambda: deployed.wakeups.pending("minilab") == 3, what="a message for each lane")
    [active] = deployed.app.control.inspect(timeout=2).active().values()
    assert len(active) == lanes
    assert deployed.upkeep.waiting("minilab") == 3
    for job_id in jobs:
        deployed.store.cancel(job_id)
