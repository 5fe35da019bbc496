"""One GPU worker and one CPU worker on each kind of broker: every task runs where it belongs."""

import json
import os
import pickle
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from darkroom.jobs import JobState
from darkroom.messages.queues import FOLLOW_UP, GENERATE, UPSCALE
from storage.opening import open_storage
from tests.brokers.deployment import Deployment, deployment
from tests.brokers.task_events import TaskEvents
from tests.brokers.workers import celery
from tests.eventually import eventually
from tests.servers import free_port

PROMPT = "a lighthouse by the sea"


@dataclass(frozen=True)
class Placed:
    deployment: Deployment
    gpu_pid: int
    cpu_pid: int
    events: TaskEvents


@pytest.fixture(scope="module")
def placed(broker_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placed]:
    folder = tmp_path_factory.mktemp("placement")
    with deployment(folder, {**broker_env, "DARKROOM_HOUSEKEEPING_PERIOD_S": "1"}) as deployed:
        gpu = deployed.gpu_worker("gpu", "-Q", "gpu.minilab")
        cpu = deployed.cpu_worker("cpu", "-Q", "cpu")
        with TaskEvents(deployed.app) as events:
            deployed.wait_for_workers("gpu", "cpu")
            yield Placed(deployed, gpu.pid, cpu.pid, events)


def test_a_job_becomes_an_image_and_a_thumbnail(placed: Placed) -> None:
    job_id = placed.deployment.post(prompt=PROMPT, width=128, height=64, n=2)

    job = placed.deployment.wait_for_thumbnails(job_id)

    assert (job.state, job.worker, job.attempt) == (JobState.SUCCEEDED, "gpu@test", 1)
    storage = open_storage(placed.deployment.settings)
    for image in job.images:
        with Image.open(BytesIO(storage.get(image.key))) as picture:
            assert (picture.format, picture.size) == ("PNG", (128, 64))
        assert image.thumbnail
        with Image.open(BytesIO(storage.get(image.thumbnail.key))) as picture:
            assert picture.format == "WEBP"


def test_gpu_tasks_run_only_in_the_gpu_worker_s_process_and_cpu_tasks_only_in_the_cpu_worker_s(placed: Placed) -> None:
    for job_id in [placed.deployment.post(seed=seed) for seed in range(5)]:
        placed.deployment.wait_for_thumbnails(job_id)

    ran = eventually(lambda: placed.events.ran_at_least({GENERATE: 5, FOLLOW_UP: 5}))

    assert {where for task, where in ran if task == GENERATE} == {("gpu@test", placed.gpu_pid)}
    assert {where for task, where in ran if task != GENERATE} == {("cpu@test", placed.cpu_pid)}


def test_neither_worker_even_knows_the_other_s_tasks(placed: Placed) -> None:
    registered = placed.deployment.app.control.inspect(timeout=1).registered()

    ours = {name: {task for task in tasks if task.startswith("darkroom.")} for name, tasks in registered.items()}
    assert ours == {"gpu@test": {GENERATE}, "cpu@test": {FOLLOW_UP, UPSCALE}}


def test_each_worker_takes_from_its_own_queue_alone(placed: Placed) -> None:
    queues = placed.deployment.app.control.inspect(timeout=1).active_queues()

    assert {name: [queue["name"] for queue in theirs] for name, theirs in queues.items()} == {
        "gpu@test": ["gpu.minilab"],
        "cpu@test": ["cpu"],
    }


def test_wakeups_that_come_twice_or_for_nothing_are_harmless(placed: Placed) -> None:
    for _ in range(3):
        placed.deployment.wakeups.wake("minilab")

    job_id = placed.deployment.post(wakeups=4)

    job = placed.deployment.wait_for_end(job_id)
    eventually(lambda: placed.deployment.wakeups.pending("minilab") == 0)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    assert placed.deployment.events(job_id).count("succeeded") == 1


def test_a_job_whose_wakeup_was_lost_is_made_all_the_same(placed: Placed) -> None:
    job_id = placed.deployment.post(wakeups=0)

    assert placed.deployment.wait_for_end(job_id, 15).state is JobState.SUCCEEDED


def test_a_pickled_message_is_refused_and_the_worker_goes_on(placed: Placed, tmp_path: Path) -> None:
    trace = tmp_path / "it ran"

    with placed.deployment.app.connection_for_write() as connection, connection.channel() as channel:
        connection.Producer(channel).publish(
            pickle.dumps(([], {"model": Malicious(str(trace))}, {})),
            routing_key="gpu.minilab",
            exchange="gpu.minilab",
            content_type="application/x-python-serialize",
            content_encoding="binary",
            headers={"id": "0", "task": GENERATE, "lang": "py"},
        )
    job = placed.deployment.wait_for_end(placed.deployment.post())

    assert job.state is JobState.SUCCEEDED
    assert not trace.exists()
    gpu = placed.deployment.workers[0].said
    assert "ContentDisallowed" in gpu or "Refusing to deserialize" in gpu


class Malicious:
    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self._path),)


def test_celery_s_own_ping_finds_both_workers(placed: Placed) -> None:
    answer = subprocess.run(
        celery("darkroom.app", "inspect", "ping", "--timeout", "1", "--json"),
        env=os.environ | placed.deployment.env,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert set(json.loads(answer.stdout)) == {"gpu@test", "cpu@test"}


def test_flower_shows_the_workers_to_whoever_has_its_password(placed: Placed) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}/api/workers"
    placed.deployment.start(
        "flower",
        "darkroom.app",
        "flower",
        "--address=127.0.0.1",
        f"--port={port}",
        FLOWER_BASIC_AUTH="operator:a-long-password",
    )

    def shown() -> set[str]:
        try:
            answer = httpx.get(url, auth=("operator", "a-long-password"), params={"refresh": "true"}, trust_env=False)
        except httpx.TransportError:
            return set()
        return set(answer.json()) if answer.is_success else set()

    eventually(lambda: shown() == {"gpu@test", "cpu@test"}, 30)
    assert httpx.get(url, trust_env=False).status_code == 401


def test_no_worker_prints_a_prompt(placed: Placed) -> None:
    job_id = placed.deployment.post(prompt=f"{PROMPT} " * 30)
    placed.deployment.wait_for_thumbnails(job_id)

    said = "".join(worker.said for worker in placed.deployment.workers)

    assert "job.finished" in said
    assert "lighthouse" not in said
