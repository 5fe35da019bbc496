import threading
from collections.abc import Iterable

import pytest

from darkroom.errors import DeadlineExceeded, JobTaken
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Attempt, Job
from darkroom.settings import Settings
from gpu_worker.jobs.leases import LeaseKeeper
from tests.conftest import MakeRequest
from tests.gpu_worker.conftest import Clock
from tests.servers import free_port
from tests.worker_fixtures import StartJob


class TellingClaims(Claims):
    """Says when it has renewed; before that, it fails with the errors it was given."""

    def __init__(self, client: Client, settings: Settings) -> None:
        super().__init__(client, settings)
        self.errors: list[Exception] = []
        self.renewed = threading.Event()

    def renew(self, jobs: Iterable[Job]) -> set[Attempt]:
        if self.errors:
            raise self.errors.pop()
        lost = super().renew(jobs)
        self.renewed.set()
        return lost


def lease_of(client: Client, job_id: str) -> float | None:
    score: float | None = client.zscore(keys.LEASES(), job_id)
    return score


def test_a_held_job_s_lease_is_renewed(leases: LeaseKeeper, client: Client, start_job: StartJob) -> None:
    job = start_job()
    client.zadd(keys.LEASES(), {job.id: 1})

    with leases.hold(job) as hold:
        leases.renew()
        hold.check()

    assert (lease_of(client, job.id) or 0) > 1


def test_an_attempt_counts_from_when_it_is_held(
    leases: LeaseKeeper, upkeep: Upkeep, claims: Claims, store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "worker-1")
    assert job

    with leases.hold(job):
        client.zadd(keys.LEASES(), {job.id: 1})
        upkeep.requeue_lost(job.id, job.attempt)

    assert client.hget(keys.JOB(job.id), "failed_attempts") == "1"


def test_a_job_that_is_done_is_renewed_no_more(leases: LeaseKeeper, client: Client, start_job: StartJob) -> None:
    job = start_job()
    with leases.hold(job):
        pass
    client.zadd(keys.LEASES(), {job.id: 1})

    leases.renew()

    assert lease_of(client, job.id) == 1


def test_a_cancel_shows_at_the_next_renewal(leases: LeaseKeeper, store: JobStore, start_job: StartJob) -> None:
    job = start_job()

    with leases.hold(job) as hold:
        store.cancel(job.id)
        leases.renew()

        with pytest.raises(JobTaken):
            hold.check()


def test_only_the_job_that_was_lost_is_lost(leases: LeaseKeeper, store: JobStore, start_job: StartJob) -> None:
    lost, kept = start_job(), start_job()

    with leases.hold(lost) as lost_hold, leases.hold(kept) as kept_hold:
        store.cancel(lost.id)
        leases.renew()

        kept_hold.check()
        with pytest.raises(JobTaken):
            lost_hold.check()


def test_of_two_attempts_at_one_job_the_valid_one_goes_on(
    leases: LeaseKeeper, claims: Claims, client: Client, start_job: StartJob
) -> None:
    """After a stall a worker may claim what it still draws: the first of the two dies, and alone."""
    first = start_job()
    claims.give_back(first)
    second = claims.claim_next("minilab", "worker-1")
    assert second

    with leases.hold(first) as stale, leases.hold(second) as valid:
        client.zadd(keys.LEASES(), {first.id: 1})
        leases.renew()

        valid.check()
        with pytest.raises(JobTaken):
            stale.check()
    assert (lease_of(client, second.id) or 0) > 1


def test_a_job_lost_and_claimed_again_by_this_worker_keeps_its_new_hold(
    leases: LeaseKeeper, claims: Claims, client: Client, start_job: StartJob
) -> None:
    first = start_job()
    with leases.hold(first):
        claims.give_back(first)
        second = claims.claim_next("minilab", "worker-1")
        assert second
        again = leases.hold(second)
        hold = again.__enter__()
    client.zadd(keys.LEASES(), {first.id: 1})

    leases.renew()

    hold.check()
    assert (lease_of(client, first.id) or 0) > 1


def test_a_job_may_run_until_its_deadline(
    claims: Claims, settings: Settings, clock: Clock, start_job: StartJob
) -> None:
    leases = LeaseKeeper(claims, settings.model_copy(update={"job_deadline_s": 60.0}), clock)

    with leases.hold(start_job()) as hold:
        clock.now_s = 60
        hold.check()
        clock.now_s = 60.1

        with pytest.raises(DeadlineExceeded, match="60 s"):
            hold.check()


def test_a_redis_that_is_away_costs_no_job_by_itself(settings: Settings, clock: Clock, start_job: StartJob) -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as nobody:
        leases = LeaseKeeper(Claims(nobody, settings), settings, clock)

        with leases.hold(start_job()) as hold:
            leases.renew()

            hold.check()


def test_its_thread_renews_until_it_is_stopped(settings: Settings, client: Client, start_job: StartJob) -> None:
    claims = TellingClaims(client, settings)
    leases = LeaseKeeper(claims, settings.model_copy(update={"lease_s": 0.03}))
    before = threading.active_count()

    with leases.hold(start_job()):
        claims.renewed.clear()
        leases.start()
        assert claims.renewed.wait(timeout=5)
    leases.stop()

    assert threading.active_count() == before


def test_an_unforeseen_error_does_not_end_its_thread(settings: Settings, client: Client, start_job: StartJob) -> None:
    claims = TellingClaims(client, settings)
    leases = LeaseKeeper(claims, settings.model_copy(update={"lease_s": 0.03}))

    with leases.hold(start_job()):
        claims.errors.append(ValueError("unforeseen"))
        claims.renewed.clear()
        leases.start()
        renewed = claims.renewed.wait(timeout=5)
    leases.stop()

    assert renewed
    assert claims.errors == []


class HeldUpClaims(Claims):
    """A renewal that is under way takes a moment."""

    def __init__(self, client: Client, settings: Settings) -> None:
        super().__init__(client, settings)
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()

    def renew(self, jobs: Iterable[Job]) -> set[Attempt]:
        self.has_begun.set()
        assert self.may_go_on.wait(20)
        return super().renew(jobs)


def test_its_thread_ends_with_it_and_a_renewal_is_not_cut_off(
    client: Client, settings: Settings, start_job: StartJob
) -> None:
    before = set(threading.enumerate())
    claims = HeldUpClaims(client, settings)
    leases = LeaseKeeper(claims, settings.model_copy(update={"lease_s": 3.0}))
    claims.may_go_on.set()
    with leases.hold(start_job()):
        claims.has_begun.clear()
        claims.may_go_on.clear()
        leases.start()
        assert claims.has_begun.wait(20)
        threading.Timer(0.1, claims.may_go_on.set).start()

        leases.stop()

    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "leases"]
