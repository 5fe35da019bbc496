"""One GPU worker and one CPU worker on ARQ: every message is done where it belongs."""

import os
import pickle
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from darkroom.jobs import JobState
from darkroom.messages.arq_carrier import JOB_PREFIX, arq_queue, arq_url
from tests.arq.conftest import Deploy
from tests.brokers.deployment import Deployment
from tests.brokers.workers import arq
from tests.eventually import eventually

pytestmark = pytest.mark.redis

PROMPT = "a lighthouse by the sea"
GPU = "gpu_worker.arq_app.WorkerSettings"


@pytest.fixture(scope="module")
def placed(arq_deployment: Deploy) -> Deployment:
    deployed = arq_deployment(DARKROOM_HOUSEKEEPING_PERIOD_S="1")
    deployed.gpu_worker()
    deployed.cpu_worker()
    deployed.wait_for_workers("gpu", "cpu")
    return deployed


@pytest.fixture
def broker(placed: Deployment) -> Iterator[Any]:
    with redis.Redis.from_url(arq_url(placed.settings)) as client:
        yield client


def test_a_job_becomes_an_image_and_a_thumbnail(placed: Deployment) -> None:
    job = placed.wait_for_thumbnails(placed.post(prompt=PROMPT, width=128, height=64, n=2))

    assert (job.state, job.worker, job.attempt, len(job.images)) == (JobState.SUCCEEDED, "gpu@test", 1, 2)


def test_what_is_done_leaves_no_message_behind(placed: Deployment, broker: Any) -> None:
    placed.wait_for_thumbnails(placed.post())

    # Housekeeping has messages of its own, each second.
    assert broker.zcard(arq_queue("gpu.minilab")) == 0
    eventually(lambda: not [key for key in broker.keys(f"{JOB_PREFIX}*") if b"cron" not in key])
    assert broker.keys("arq:result:*") == []


def test_a_message_that_is_being_worked_on_waits_no_more(placed: Deployment) -> None:
    job_id = placed.post(width=128, height=128, steps=60)
    placed.wait_for_step(job_id)

    pending = placed.wakeups.pending("minilab")
    state = placed.store.get(job_id).state

    assert (pending, state) == (0, JobState.RUNNING)
    placed.store.cancel(job_id)


def test_wakeups_that_come_twice_or_for_nothing_are_harmless(placed: Deployment) -> None:
    job_id = placed.post(wakeups=4)

    job = placed.wait_for_end(job_id)
    eventually(lambda: placed.wakeups.pending("minilab") == 0)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    assert placed.events(job_id).count("succeeded") == 1


def test_a_job_whose_wakeup_was_lost_is_made_all_the_same(placed: Deployment) -> None:
    job_id = placed.post(wakeups=0)

    assert placed.wait_for_end(job_id, 15).state is JobState.SUCCEEDED


def test_a_message_of_the_other_kind_of_worker_is_dropped_and_the_worker_goes_on(
    placed: Deployment, broker: Any
) -> None:
    now_ms = int(time.time() * 1000)
    broker.psetex(
        f"{JOB_PREFIX}misplaced", 60_000, b'{"t": null, "f": "darkroom.follow_up", "a": [], "k": {}, "et": 1}'
    )
    broker.zadd(arq_queue("gpu.minilab"), {"misplaced": now_ms})

    eventually(lambda: broker.zscore(arq_queue("gpu.minilab"), "misplaced") is None)
    assert placed.wait_for_end(placed.post()).state is JobState.SUCCEEDED


def test_a_pickled_message_is_refused_and_the_worker_goes_on(placed: Deployment, broker: Any, tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    message = {"t": None, "f": "darkroom.generate", "a": (), "k": {"model": Malicious(str(trace))}, "et": 1}
    broker.psetex(f"{JOB_PREFIX}pickled", 60_000, pickle.dumps(message))
    broker.zadd(arq_queue("gpu.minilab"), {"pickled": int(time.time() * 1000)})

    eventually(lambda: broker.zscore(arq_queue("gpu.minilab"), "pickled") is None)
    assert placed.wait_for_end(placed.post()).state is JobState.SUCCEEDED
    assert not trace.exists()


class Malicious:
    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self._path),)


@pytest.mark.parametrize(("name", "code"), [("gpu@test", 0), ("another@test", 1)])
def test_arq_s_own_check_asks_this_worker(placed: Deployment, name: str, code: int) -> None:
    env = {**os.environ, **placed.env, "DARKROOM_WORKER_NAME": name}
    checked = subprocess.run(arq(GPU, "--check"), env=env, capture_output=True, text=True, timeout=60, check=False)

    assert checked.returncode == code, checked.stderr


def test_no_worker_prints_a_prompt(placed: Deployment) -> None:
    placed.wait_for_thumbnails(placed.post(prompt=f"{PROMPT} " * 30))

    said = "".join(worker.said for worker in placed.workers)

    assert "job.finished" in said
    assert "lighthouse" not in said
