"""A Redis with all its memory taken: no new jobs, and those that it has end well."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from darkroom.errors import JobStoreFull
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.jobs import JobState, StoredImage
from darkroom.request import ImageRequest
from darkroom.settings import Settings
from tests.conftest import MakeRequest
from tests.darkroom.job_store.test_resending import CASES, SCRIPTS, side_of
from tests.redis_of_our_own import redis_of_our_own
from tests.servers import RedisServer

MAX_BYTES = 5 * 2**20
STEPS = 50
# A new job or upload is refused, and a picture that is only to be looked at may be lost.
MAY_FAIL = {"enqueue", "keep_input", "preview"}


def image_of(job_id: str) -> StoredImage:
    key = f"jobs/{job_id}/0.png"
    return StoredImage(
        index=0, seed=7, key=key, content_type="image/png", width=1024, height=1024, bytes=1_500_000, sha256="a" * 64
    )


@pytest.fixture
def small(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_of_our_own(tmp_path / "redis", MAX_BYTES) as server:
        yield server


@pytest.fixture
def crammed(client: Client) -> Iterator[None]:
    """Others have taken all memory, the reserve too."""
    yield
    client.config_set("maxmemory", "0")


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script not in MAY_FAIL])
@pytest.mark.usefixtures("crammed")
def test_what_moves_or_ends_a_job_works_in_a_redis_that_is_full(
    script: str, client: Client, settings: Settings
) -> None:
    side = side_of(client, settings)
    act, answer = CASES[script](side)
    found = client.zrange(keys.FINAL(), 0, -1)
    owed = [delivery for job_id in found for delivery in Deliveries(client).of_job(job_id)]
    client.config_set("maxmemory", "1mb")
    client.config_set("maxmemory-policy", "noeviction")

    got = act(side)

    # Said once, these tell what they found.
    found_once = {
        "cancel": JobState.RUNNING,
        "take_old": [[job_id, 1] for job_id in found],
        "take_webhooks": owed,
    }
    assert got == found_once.get(script, answer)


@pytest.mark.usefixtures("crammed")
def test_a_full_redis_takes_no_new_job_and_says_what_to_do(
    store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    client.config_set("maxmemory", "1mb")

    with pytest.raises(JobStoreFull, match="DARKROOM_RETENTION_S"):
        store.enqueue("alice", request_of())

    assert not client.keys(keys.JOB("*"))


def test_all_jobs_that_were_taken_end_within_the_bound_and_then_there_is_room_again(
    small: RedisServer, settings: Settings, request_of: MakeRequest
) -> None:
    many = settings.model_copy(update={"max_waiting_per_model": 10_000, "max_waiting_per_key": 10_000})
    with connect(small.url) as client:
        store, claims = JobStore(client, many), Claims(client, many)
        request = request_of(steps=STEPS, prompt="a red circle " * 8)
        ids = list(enqueued_until_full(store, request, client))

        while job := claims.claim_next("minilab", "w"):
            claims.progress_of([(job, step, STEPS) for step in range(1, STEPS + 1)])
            claims.succeed(job, [image_of(job.id)])
        most_bytes = client.info("memory")["used_memory"]
        states = {store.get(job_id).state for job_id in ids}
        assert len(ids) > 200
        assert states == {JobState.SUCCEEDED}
        assert most_bytes < MAX_BYTES
        assert store.enqueue("alice", request_of()).job.state is JobState.QUEUED


def enqueued_until_full(store: JobStore, request: ImageRequest, client: Client) -> Iterator[str]:
    with suppress(JobStoreFull):
        while True:
            client.delete(keys.ROOM())  # as if a moment had passed
            yield store.enqueue("alice", request).job.id
