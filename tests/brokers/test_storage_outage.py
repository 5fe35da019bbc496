"""A worker whose S3 server is stopped, cut off and back again."""

from collections.abc import Callable, Iterator

import pytest

from darkroom.jobs import JobState
from darkroom.local.embedded_redis import embedded_redis
from tests.brokers.deployment import Deployment, deployment
from tests.eventually import eventually
from tests.servers import S3Server

pytestmark = pytest.mark.s3

JOBS = 6  # more than upload at the same time
STEPS = 4

Act = Callable[[S3Server], None]


@pytest.fixture(scope="module")
def deployed(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """With one lane, so that a job that stayed in it would be the last."""
    folder = tmp_path_factory.mktemp("storage-outage")
    env = {
        "DARKROOM_STORAGE": "s3",
        "DARKROOM_S3_ENDPOINT_URL": s3_server.endpoint_url,
        "DARKROOM_S3_ACCESS_KEY_ID": s3_server.access_key_id,
        "DARKROOM_S3_SECRET_ACCESS_KEY": s3_server.secret_access_key,
        "DARKROOM_S3_BUCKET": s3_server.bucket,
        "DARKROOM_LANES": "1",
    }
    with (
        embedded_redis(folder / "redis") as url,
        deployment(folder, {"DARKROOM_REDIS_URL": url, **env}) as deployed,
    ):
        deployed.gpu_worker()
        deployed.wait_for_workers("gpu")
        yield deployed


def back(server: S3Server) -> None:
    server.process.start()


def cut_off(server: S3Server) -> None:
    """Connections that hung are broken before it is there again."""
    server.process.kill()
    server.process.start()


@pytest.mark.parametrize(
    ("leave", "come_back"),
    [
        pytest.param(lambda server: server.process.kill(), back, id="refuses"),
        pytest.param(lambda server: server.process.pause(), lambda server: server.process.resume(), id="hangs"),
        pytest.param(lambda server: server.process.pause(), cut_off, id="is_cut_off"),
    ],
)
def test_storage_that_is_away_costs_no_image(
    leave: Act, come_back: Act, deployed: Deployment, s3_server: S3Server
) -> None:
    leave(s3_server)
    jobs = [deployed.post(steps=STEPS) for _ in range(JOBS)]

    eventually(lambda: [deployed.store.get(job).step for job in jobs] == [STEPS] * JOBS, 60, what="all drawn")
    assert {deployed.store.get(job).state for job in jobs} == {JobState.RUNNING}
    come_back(s3_server)

    for job_id in jobs:
        job = deployed.wait_for_end(job_id)
        assert (job.state, job.attempt, len(job.images)) == (JobState.SUCCEEDED, 1, 1)
