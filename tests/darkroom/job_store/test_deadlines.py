"""A request's own deadline: a job that has not ended by then is canceled, wherever it stands, with its reason."""

import pytest

from darkroom.errors import JobTaken
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job, JobState
from tests.conftest import MakeRequest


@pytest.fixture
def hurried(store: JobStore, request_of: MakeRequest) -> Job:
    return store.enqueue("alice", request_of(deadline_s=60)).job


def let_the_deadline_pass(client: Client, job: Job) -> None:
    assert client.zadd(keys.DEADLINES(), {job.id: job.created_ms + 1}, xx=True, ch=True)


def assert_canceled_for_being_late(store: JobStore, client: Client, job: Job) -> None:
    now = store.get(job.id)
    assert now.state is JobState.CANCELED
    assert now.failure
    assert now.failure.code == "deadline_passed"
    assert "within the 0.001 s" in now.failure.message
    *_, (_, last) = client.xrange(keys.EVENTS(job.id))
    assert last["type"] == "canceled"
    assert "deadline_passed" in last["data"]
    assert client.exists(keys.DEADLINES()) == 0


def test_a_deadline_counts_from_the_moment_at_which_the_job_is_made(client: Client, hurried: Job) -> None:
    assert client.zscore(keys.DEADLINES(), hurried.id) == hurried.created_ms + 60_000


def test_a_job_in_time_is_left_alone_and_leaves_no_deadline_behind(
    upkeep: Upkeep, store: JobStore, claims: Claims, client: Client, hurried: Job
) -> None:
    assert upkeep.cancel_late() == []
    job = claims.claim_next("minilab", "w")
    assert job
    claims.progress(job, 1, 2)
    claims.renew([job])
    claims.succeed(job, [])

    assert store.get(job.id).state is JobState.SUCCEEDED
    assert client.exists(keys.DEADLINES()) == 0


def test_a_job_that_waits_too_long_is_canceled_by_the_housekeeper(
    upkeep: Upkeep, store: JobStore, client: Client, hurried: Job
) -> None:
    let_the_deadline_pass(client, hurried)

    assert upkeep.cancel_late() == [hurried.id]

    assert_canceled_for_being_late(store, client, hurried)
    assert store.place(hurried.id) is None
    assert upkeep.waiting("minilab") == 0
    assert upkeep.cancel_late() == []


def test_a_claim_passes_over_a_job_that_is_too_late(
    store: JobStore, claims: Claims, client: Client, hurried: Job, request_of: MakeRequest
) -> None:
    patient = store.enqueue("alice", request_of()).job
    let_the_deadline_pass(client, hurried)

    claimed = claims.claim_next("minilab", "w")

    assert claimed
    assert claimed.id == patient.id
    assert_canceled_for_being_late(store, client, hurried)
    assert store.get(hurried.id).attempt == 0


def test_a_running_job_is_stopped_at_its_next_step(
    store: JobStore, claims: Claims, client: Client, hurried: Job
) -> None:
    job = claims.claim_next("minilab", "w")
    assert job
    let_the_deadline_pass(client, hurried)

    with pytest.raises(JobTaken):
        claims.progress(job, 1, 2)

    assert_canceled_for_being_late(store, client, hurried)
    assert client.zscore(keys.LEFTOVERS(), job.id)


def test_a_running_job_without_steps_is_stopped_when_its_lease_is_renewed(
    store: JobStore, claims: Claims, client: Client, hurried: Job
) -> None:
    job = claims.claim_next("minilab", "w")
    assert job
    let_the_deadline_pass(client, hurried)

    assert claims.renew([job]) == {job.held_as}

    assert_canceled_for_being_late(store, client, hurried)


def test_no_job_succeeds_after_its_deadline(store: JobStore, claims: Claims, client: Client, hurried: Job) -> None:
    job = claims.claim_next("minilab", "w")
    assert job
    let_the_deadline_pass(client, hurried)

    with pytest.raises(JobTaken, match="it is canceled"):
        claims.succeed(job, [])

    assert_canceled_for_being_late(store, client, hurried)


def test_a_job_that_is_withdrawn_takes_its_deadline_along(store: JobStore, client: Client, hurried: Job) -> None:
    assert store.withdraw(hurried.id)

    assert client.exists(keys.DEADLINES()) == 0


def test_a_deadline_without_a_job_is_swept_away(upkeep: Upkeep, client: Client) -> None:
    client.zadd(keys.DEADLINES(), {"gone": 1})

    assert upkeep.cancel_late() == []

    assert client.exists(keys.DEADLINES()) == 0


def test_canceling_by_hand_needs_no_reason(store: JobStore, client: Client, hurried: Job) -> None:
    store.cancel(hurried.id)

    assert store.get(hurried.id).failure is None
    assert client.exists(keys.DEADLINES()) == 0
