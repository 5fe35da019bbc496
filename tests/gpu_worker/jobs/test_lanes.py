"""Which jobs are taken in. Lanes here are mere names."""

from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from darkroom.errors import JobTaken
from darkroom.job_store.claims import Claims
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job, JobState
from darkroom.request import Priority
from gpu_worker.jobs.lanes import Lanes
from tests.conftest import MakeRequest
from tests.gpu_worker.fakes import FakeLane


def lanes_of(count: int, kept_for_interactive: int = 0) -> Lanes:
    return Lanes([FakeLane() for _ in range(count)], kept_for_interactive)


@pytest.fixture
def claims_next(claims: Claims) -> "ClaimsNext":
    return ClaimsNext(claims)


class ClaimsNext:
    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def __call__(self, classes: Sequence[Priority]) -> Job | None:
        return self._claims.claim_next("minilab", "w", classes)


def test_each_lane_is_given_to_one_job_at_a_time() -> None:
    lanes = lanes_of(2)

    with lanes.open() as one, lanes.open() as other, lanes.open() as none_left:
        assert one is not other
        assert none_left is None


def test_a_lane_is_free_again_after_a_run_that_failed() -> None:
    lanes = lanes_of(1)
    with pytest.raises(JobTaken), lanes.open():
        raise JobTaken("canceled")

    with lanes.open() as again:
        assert again is not None


def test_a_lane_kept_for_interactive_jobs_takes_one_while_bulk_jobs_fill_the_rest(
    store: JobStore, request_of: MakeRequest, claims_next: ClaimsNext
) -> None:
    lanes = lanes_of(3, kept_for_interactive=1)
    for _ in range(3):
        store.enqueue("alice", request_of(priority=Priority.BULK))

    with ExitStack() as stack:
        taken = [stack.enter_context(lanes.next_job(claims_next)) for _ in range(3)]
        assert [one is None for one in taken] == [False, False, True]

        store.enqueue("bob", request_of())
        with lanes.next_job(claims_next) as interactive:
            assert interactive
            assert interactive[1].request.priority is Priority.INTERACTIVE

    with lanes.next_job(claims_next) as bulk:
        assert bulk


def test_no_job_is_claimed_while_every_lane_is_busy(
    store: JobStore, request_of: MakeRequest, claims_next: ClaimsNext
) -> None:
    lanes = lanes_of(1)
    job_id = store.enqueue("alice", request_of()).job.id

    with lanes.open(), lanes.next_job(claims_next) as taken:
        assert taken is None
    assert store.get(job_id).state is JobState.QUEUED


def test_who_waits_is_told_when_a_lane_is_free_and_not_when_nothing_was_taken(
    store: JobStore, request_of: MakeRequest, claims_next: ClaimsNext
) -> None:
    lanes = lanes_of(1)
    before = lanes.changes
    with lanes.next_job(claims_next):
        pass
    assert lanes.changes == before

    store.enqueue("alice", request_of())
    with lanes.next_job(claims_next):
        pass

    assert lanes.changes > before


def test_a_single_lane_takes_bulk_jobs_too(store: JobStore, request_of: MakeRequest, claims_next: ClaimsNext) -> None:
    store.enqueue("alice", request_of(priority=Priority.BULK))

    with lanes_of(1, kept_for_interactive=1).next_job(claims_next) as job:
        assert job
