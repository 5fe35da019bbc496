"""Taking back a job whose wake-up could not be published: only while nobody else can know of it."""

import pytest

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from darkroom.settings import Settings
from tests.conftest import MakeRequest


def test_a_withdrawn_job_was_never_there(store: JobStore, client: Client, request_of: MakeRequest) -> None:
    job_id = store.enqueue("alice", request_of()).job.id

    assert store.withdraw(job_id)

    assert set(client.keys("*")) <= {keys.MODELS(), keys.ROOM(), keys.GONE(job_id)}


@pytest.mark.parametrize("is_given_back", [False, True])
def test_a_job_that_a_worker_has_had_is_not_withdrawn(
    is_given_back: bool, store: JobStore, claims: Claims, request_of: MakeRequest
) -> None:
    job_id = store.enqueue("alice", request_of()).job.id
    job = claims.claim_next("minilab", "w")
    assert job
    if is_given_back:
        claims.give_back(job)

    assert not store.withdraw(job_id)

    assert store.get(job_id).state is (JobState.QUEUED if is_given_back else JobState.RUNNING)


def test_a_job_that_another_client_was_told_of_is_not_withdrawn(store: JobStore, request_of: MakeRequest) -> None:
    """Both sent the same key; the second came while the first still tried to reach the broker."""
    first = store.enqueue("alice", request_of(), idempotency_key="k").job.id
    second = store.enqueue("alice", request_of(), idempotency_key="k").job.id

    assert not store.withdraw(first)

    assert second == first
    assert store.get(second).state is JobState.QUEUED


def test_a_withdrawn_job_does_not_put_its_owner_s_next_one_further_back(
    store: JobStore, request_of: MakeRequest
) -> None:
    for _ in range(5):
        store.enqueue("bob", request_of())
    tries = [store.enqueue("alice", request_of(steps=10)).job.id for _ in range(20)]
    for job_id in tries:
        assert store.withdraw(job_id)

    job = store.enqueue("alice", request_of()).job

    place = store.place(job.id)
    assert place
    assert place.position == 1  # bob's first came before; alice's stands beside it


def test_what_an_owner_of_another_weight_gets_back_is_what_it_had_paid(
    client: Client, settings: Settings, request_of: MakeRequest
) -> None:
    store = JobStore(client, settings.model_copy(update={"key_weights": {"alice": 4.0}}))
    store.enqueue("bob", request_of())
    store.enqueue("alice", request_of(steps=2))

    store.withdraw(store.enqueue("alice", request_of(steps=10)).job.id)

    assert float(client.hget(keys.FAIR("minilab", "interactive"), "alice")) == 0.5


def test_the_key_of_a_withdrawn_job_makes_a_new_one(store: JobStore, request_of: MakeRequest) -> None:
    first = store.enqueue("alice", request_of(), idempotency_key="k").job.id
    assert store.withdraw(first)

    second = store.enqueue("alice", request_of(), idempotency_key="k")

    assert not second.is_repeat
    assert second.job.id != first
