"""Upscaling goes to those CPU workers alone that have the network, from the image to its larger one."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from darkroom.jobs import JobState
from darkroom.upscaling import UPSCALER, upscale_job_of, upscale_request
from storage.opening import open_storage
from tests.brokers.deployment import Deployment, deployment
from tests.eventually import eventually


@pytest.fixture(scope="module")
def deployed(broker_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("upscaling")
    with deployment(folder, {**broker_env, "DARKROOM_HOUSEKEEPING_PERIOD_S": "1"}) as deployed:
        deployed.gpu_worker()
        deployed.cpu_worker()
        deployed.wait_for_workers("gpu", "cpu")
        yield deployed


def test_an_image_is_upscaled_by_a_job_with_thumbnail_and_events(deployed: Deployment) -> None:
    drawn = deployed.wait_for_end(deployed.post())

    job_id = deployed.store.enqueue("alice", upscale_request(drawn, drawn.images, 4)).job.id
    deployed.wakeups.wake(UPSCALER, job_id)

    job = deployed.wait_for_thumbnails(job_id)
    assert (job.state, job.worker, job.attempt) == (JobState.SUCCEEDED, "cpu@test", 1)
    assert deployed.events(job_id) == ["started", "step", "succeeded"]
    storage = open_storage(deployed.settings)
    before, after = (Image.open(BytesIO(storage.get(made.images[0].key))) for made in (drawn, job))
    assert (before.size, after.size) == ((64, 64), (256, 256))
    assert after.info["darkroom"]


def test_a_request_that_says_so_is_followed_by_it(deployed: Deployment) -> None:
    job_id = deployed.post(upscale=2, n=2)

    upscaled = deployed.wait_for_end(eventually(lambda: listed(deployed, upscale_job_of(job_id)), 60))

    assert [(image.width, image.height) for image in upscaled.images] == [(128, 128)] * 2


def test_a_job_whose_wake_up_was_lost_is_made_all_the_same(deployed: Deployment) -> None:
    drawn = deployed.wait_for_end(deployed.post())

    job_id = deployed.store.enqueue("alice", upscale_request(drawn, drawn.images, 2)).job.id

    assert deployed.wait_for_end(job_id, 20).state is JobState.SUCCEEDED


def test_a_worker_without_the_network_leaves_its_queue_alone(
    deployed: Deployment, without_network: dict[str, str]
) -> None:
    deployed.cpu_worker("bare", **without_network)
    deployed.wait_for_workers("bare")

    queues = deployed.app.control.inspect(timeout=1).active_queues()

    assert {queue["name"] for queue in queues["bare@test"]} == {"cpu"}
    assert {queue["name"] for queue in queues["cpu@test"]} == {"cpu", "cpu.upscale"}


def listed(deployed: Deployment, job_id: str) -> str:
    """Its id, once it is among the jobs of its owner; until then nothing."""
    return next((job.id for job in deployed.store.newest("alice", limit=20) if job.id == job_id), "")
