"""A job whose workers die shall take none of its neighbours with it for good."""

from collections.abc import Sequence

import pytest

from darkroom.errors import GenerationFailed
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job, JobState
from darkroom.request import Priority
from darkroom.settings import Settings
from tests.conftest import MakeRequest

ERROR = GenerationFailed("The model stopped with ValueError.")


def lose(jobs: Sequence[Job], client: Client, upkeep: Upkeep) -> None:
    for job in jobs:
        client.zadd(keys.LEASES(), {job.id: 1})
        upkeep.requeue_lost(job.id, job.attempt)


def failed_attempts(client: Client, job_id: str) -> int:
    return int(client.hget(keys.JOB(job_id), "failed_attempts") or 0)


def take(claims: Claims, worker: str, lanes: int) -> list[Job]:
    """As many jobs as the worker has lanes, or as there are for it."""
    jobs: list[Job] = []
    while len(jobs) < lanes and (job := claims.claim_next("minilab", worker)):
        jobs.append(job)
    claims.renew(jobs)
    return jobs


@pytest.fixture
def candidates(store: JobStore, claims: Claims, client: Client, upkeep: Upkeep, request_of: MakeRequest) -> list[str]:
    """Two jobs that lost two workers together, in line again."""
    ids = [store.enqueue("alice", request_of()).job.id for _ in range(2)]
    for _ in range(2):
        lose(take(claims, "w", 2), client, upkeep)
    return ids


def test_a_worker_has_one_job_that_lost_two_workers_at_a_time(claims: Claims, candidates: list[str]) -> None:
    one = take(claims, "one", 2)
    other = take(claims, "other", 2)

    assert [job.id for job in [*one, *other]] == candidates
    assert len(one) == 1


@pytest.mark.parametrize("ends_by", ["success", "failure", "giving back"])
def test_it_takes_the_next_when_that_one_has_ended(claims: Claims, candidates: list[str], ends_by: str) -> None:
    [job] = take(claims, "w", 2)

    if ends_by == "success":
        claims.succeed(job, [])
    elif ends_by == "failure":
        claims.try_again(job, ERROR)
    else:
        claims.give_back(job)

    assert len(take(claims, "w", 2)) == 1


def test_meanwhile_it_takes_jobs_behind_it(
    store: JobStore, claims: Claims, candidates: list[str], request_of: MakeRequest
) -> None:
    fresh = store.enqueue("bob", request_of()).job.id

    taken = [job.id for job in take(claims, "w", 3)]

    assert taken == [candidates[0], fresh]


def test_a_class_whose_jobs_are_all_passed_over_holds_up_no_other(
    store: JobStore, claims: Claims, candidates: list[str], request_of: MakeRequest
) -> None:
    bulk = store.enqueue("bob", request_of(priority=Priority.BULK)).job.id

    assert [job.id for job in take(claims, "w", 3)] == [candidates[0], bulk]


def test_a_job_that_lost_one_worker_is_held_up_by_none(
    store: JobStore, claims: Claims, client: Client, upkeep: Upkeep, request_of: MakeRequest
) -> None:
    """Else an ordinary crash would cost a whole batch its speed."""
    ids = [store.enqueue("alice", request_of()).job.id for _ in range(4)]
    lose(take(claims, "w", 4), client, upkeep)

    assert [job.id for job in take(claims, "w", 4)] == ids


@pytest.mark.parametrize("most_attempts", [2, 3, 5])
@pytest.mark.parametrize("lanes", [4, 16])
def test_the_neighbours_of_a_job_that_kills_its_workers_all_succeed(
    client: Client, settings: Settings, request_of: MakeRequest, most_attempts: int, lanes: int
) -> None:
    of = settings.model_copy(update={"max_attempts": most_attempts})
    store, claims, upkeep = JobStore(client, of), Claims(client, of), Upkeep(client, of)
    ids = [store.enqueue("alice", request_of()).job.id for _ in range(20)]
    poison = ids[7]

    crashes = 0
    while any(not store.get(job_id).state.is_final for job_id in ids):
        for worker in ("one", "other"):
            jobs = take(claims, worker, lanes)
            if any(job.id == poison for job in jobs):
                crashes += 1
                lose(jobs, client, upkeep)
            else:
                for job in jobs:
                    claims.succeed(job, [])

    assert store.get(poison).state is JobState.FAILED
    assert max(failed_attempts(client, job_id) for job_id in ids if job_id != poison) <= min(2, most_attempts - 1)
    assert {store.get(job_id).state for job_id in ids if job_id != poison} == {JobState.SUCCEEDED}
    assert crashes == most_attempts


def test_one_that_has_ended_is_no_longer_looked_through(claims: Claims, client: Client, candidates: list[str]) -> None:
    [job] = take(claims, "w", 2)
    claims.succeed(job, [])

    [next_one] = take(claims, "w", 2)

    assert client.smembers(keys.POISON()) == {next_one.id}
