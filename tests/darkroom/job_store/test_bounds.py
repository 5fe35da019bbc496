"""What is kept for a time, and how much there may be: each at its edge, and what is left over from other times."""

import pytest

from darkroom.errors import QueueFull
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import IDEMPOTENCY_TTL_S, JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job
from darkroom.request import Priority
from tests.conftest import MakeRequest
from tests.darkroom.job_store.test_store import let_the_lease_run_out

DAY_S = 86_400


@pytest.fixture
def job(store: JobStore, claims: Claims, request_of: MakeRequest) -> Job:
    """In a worker's hands, its lease over."""
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "worker-1")
    assert job
    return job


def test_an_idempotency_key_is_remembered_for_a_day(store: JobStore, client: Client, request_of: MakeRequest) -> None:
    first = store.enqueue("alice", request_of(), idempotency_key="k", fingerprint="body").job
    [remembered] = client.keys(keys.IDEMPOTENCY("alice", "*"))

    assert IDEMPOTENCY_TTL_S == DAY_S
    assert DAY_S - 60 < client.ttl(remembered) <= DAY_S

    client.pexpire(remembered, 0)
    later = store.enqueue("alice", request_of(), idempotency_key="k", fingerprint="another body")

    assert not later.is_repeat
    assert later.job.id != first.id


def test_a_step_renews_the_lease(claims: Claims, upkeep: Upkeep, client: Client, job: Job) -> None:
    let_the_lease_run_out(client, job.id)

    claims.progress(job, 1, 2)

    assert upkeep.silent() == []
    assert upkeep.requeue_lost(job.id, job.attempt) == "kept"


def test_a_claim_a_renewal_and_a_step_each_give_the_length_of_a_lease(
    claims: Claims, upkeep: Upkeep, client: Client, job: Job
) -> None:
    def left_s() -> float:
        until_ms = client.zscore(keys.LEASES(), job.id)
        assert until_ms
        return float(until_ms - upkeep.now_ms()) / 1000

    claimed_s = left_s()
    claims.renew([job])
    renewed_s = left_s()
    claims.progress(job, 1, 2)
    stepped_s = left_s()

    assert all(10 < seconds <= 15 for seconds in (claimed_s, renewed_s, stepped_s))


def test_a_line_s_entry_whose_job_is_gone_is_passed_over_and_leaves_the_line(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    """As after a Redis that was restored from an older file."""
    line = keys.LINE("minilab", "interactive")
    job_id = store.enqueue("alice", request_of()).job.id
    client.zadd(line, {"gone": -1})

    claimed = claims.claim_next("minilab", "w")

    assert claimed
    assert claimed.id == job_id
    assert client.zcard(line) == 0


def test_a_line_s_entry_whose_job_is_over_is_not_claimed(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    line = keys.LINE("minilab", "interactive")
    over = store.enqueue("alice", request_of()).job.id
    store.cancel(over)
    client.zadd(line, {over: -1})

    assert claims.claim_next("minilab", "w") is None

    assert client.zcard(line) == 0


def test_the_last_place_of_a_line_and_of_an_owner_is_given_away(store: JobStore, request_of: MakeRequest) -> None:
    for number in range(49):
        store.enqueue(f"owner-{number % 3}", request_of())

    store.enqueue("last", request_of())

    with pytest.raises(QueueFull, match="50 jobs wait"):
        store.enqueue("late", request_of())


def test_both_classes_share_the_bound_of_a_line(store: JobStore, request_of: MakeRequest) -> None:
    for number in range(50):
        store.enqueue(f"owner-{number % 3}", request_of(priority=list(Priority)[number % 2]))

    with pytest.raises(QueueFull, match="50 jobs wait"):
        store.enqueue("late", request_of())


@pytest.mark.parametrize("end", ["succeeds", "fails", "is canceled", "is given back"])
def test_a_job_that_runs_no_more_has_no_lease(
    end: str, store: JobStore, claims: Claims, client: Client, job: Job
) -> None:
    match end:
        case "succeeds":
            claims.succeed(job, [])
        case "fails":
            claims.fail(job, QueueFull("for any reason", retry_after_s=1))
        case "is canceled":
            store.cancel(job.id)
        case _:
            claims.give_back(job)

    assert client.zcard(keys.LEASES()) == 0


def test_a_deleted_job_is_in_no_list(store: JobStore, claims: Claims, upkeep: Upkeep, client: Client, job: Job) -> None:
    """Those of its owner, of final jobs, of follow-up work and of dead letters."""
    claims.succeed(job, [])
    client.zadd(keys.DEAD(), {job.id: 1})
    client.zadd(keys.FOLLOWUPS(), {job.id: 1})

    assert store.delete(job.id)

    assert store.newest("alice", limit=10) == []
    assert client.zcard(keys.JOBS("alice")) == 0
    assert client.zcard(keys.FINAL()) == 0
    assert client.zcard(keys.FOLLOWUPS()) == 0
    assert client.zcard(keys.DEAD()) == 0


def test_a_withdrawn_job_is_in_no_list(store: JobStore, client: Client, request_of: MakeRequest) -> None:
    job_id = store.enqueue("alice", request_of()).job.id

    assert store.withdraw(job_id)

    assert client.zcard(keys.JOBS("alice")) == 0
    assert set(client.keys("*")) <= {keys.MODELS(), keys.FAIR("minilab", "interactive"), keys.ROOM(), keys.GONE(job_id)}


@pytest.mark.parametrize(
    ("end", "are_unwanted"),
    [("runs", False), ("succeeds", False), ("fails", True), ("is canceled", True), ("is deleted", True)],
)
def test_images_of_a_job_that_ended_without_them_are_wanted_by_nobody(
    end: str, are_unwanted: bool, store: JobStore, claims: Claims, job: Job
) -> None:
    match end:
        case "succeeds":
            claims.succeed(job, [])
        case "fails":
            claims.fail(job, QueueFull("for any reason", retry_after_s=1))
        case "is canceled" | "is deleted":
            store.cancel(job.id)
    if end == "is deleted":
        store.delete(job.id)

    assert claims.is_ended_without_images(job.id) is are_unwanted
