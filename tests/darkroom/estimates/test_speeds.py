"""What the job store measures of finished jobs, and what is made of it."""

import pytest

from darkroom.estimates.speeds import Speeds
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job
from darkroom.request import Priority
from tests.conftest import MakeRequest
from tests.darkroom.job_store.test_store import IMAGE

INTERACTIVE, BULK = Priority.INTERACTIVE, Priority.BULK


def cell(jobs: float, work: float, seconds: float, concurrency: float) -> str:
    return f"{jobs} {work} {seconds} {concurrency * seconds}"


# Alone a lane does 10 megapixel-steps a second, as one of 8 it does 4.
MEASURED = Speeds(
    {
        "interactive 3 0": cell(5, 50, 5, 1),
        "interactive all 0": cell(5, 50, 5, 1),
        "interactive 3 3": cell(10, 100, 25, 8),
        "interactive all 3": cell(10, 100, 25, 8),
    }
)


def test_nothing_is_said_before_anything_was_measured() -> None:
    nothing = Speeds({})

    assert nothing.lane_seconds(10, INTERACTIVE, 1) is None
    assert nothing.worker_speed(INTERACTIVE, 1) is None
    assert nothing.usual_cost(INTERACTIVE) is None


@pytest.mark.parametrize(("concurrency", "seconds"), [(1, 1.0), (8, 2.5)])
def test_what_was_measured_at_such_concurrency_counts(concurrency: float, seconds: float) -> None:
    assert MEASURED.lane_seconds(10, INTERACTIVE, concurrency) == pytest.approx(seconds, rel=0.05)


def test_between_two_measurements_lies_a_value_between_them() -> None:
    between = MEASURED.lane_seconds(10, INTERACTIVE, 3)

    assert between
    assert 1 < between < 2.5


def test_a_worker_does_for_all_its_lanes_what_each_does_times_their_number() -> None:
    assert MEASURED.worker_speed(INTERACTIVE, 8) == pytest.approx(32, rel=0.05)


def test_a_fuller_worker_than_any_measured_is_neither_as_fast_a_lane_nor_one_job_at_a_time() -> None:
    alone = Speeds({"interactive all 0": cell(1, 10, 1, 1)})

    speed = alone.worker_speed(INTERACTIVE, 16)

    assert speed
    assert 10 < speed < 160


def test_small_jobs_may_be_slower_for_their_size_than_large_ones() -> None:
    """They are encoded, decoded and stored all the same."""
    speeds = Speeds({"interactive 0 0": cell(10, 10, 10, 1), "interactive 5 0": cell(10, 400, 40, 1)})

    assert speeds.lane_seconds(1.2, INTERACTIVE, 1) == pytest.approx(1.2, rel=0.05)
    assert speeds.lane_seconds(40, INTERACTIVE, 1) == pytest.approx(4, rel=0.05)


def test_another_class_serves_until_the_own_is_measured() -> None:
    both = Speeds({"interactive 3 0": cell(10, 100, 10, 1), "bulk 3 0": cell(1, 10, 5, 1)})

    assert Speeds({"bulk 3 0": cell(1, 10, 5, 1)}).lane_seconds(10, INTERACTIVE, 1) == pytest.approx(5)
    assert both.lane_seconds(10, INTERACTIVE, 1) == pytest.approx(1, rel=0.01)
    assert both.lane_seconds(10, BULK, 1) == pytest.approx(5, rel=0.05)


def test_the_usual_cost_is_the_mean_of_its_class() -> None:
    speeds = Speeds({"interactive all 0": cell(4, 20, 1, 1), "bulk all 0": cell(1, 50, 1, 1)})

    assert (speeds.usual_cost(INTERACTIVE), speeds.usual_cost(BULK)) == (5, 50)


def test_a_finished_job_is_measured_with_the_concurrency_it_had(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    """Two started together a long while ago, so each was one of two."""
    first, second = (_claimed(store, claims, request_of, steps=10) for _ in range(2))
    _long_ago(client, first, second)

    claims.succeed(first, [IMAGE])

    [sized, overall] = [client.hget(keys.SPEEDS("minilab"), name) for name in ("interactive 3 1", "interactive all 1")]
    jobs, work, seconds, concurrency_seconds = map(float, sized.split())
    assert overall == sized
    assert (jobs, work) == (1, 10)
    assert concurrency_seconds / seconds == pytest.approx(2, rel=0.01)


def test_a_job_alone_is_measured_as_one(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    job = _claimed(store, claims, request_of, steps=10)
    _long_ago(client, job)

    claims.succeed(job, [IMAGE])

    _, _, seconds, concurrency_seconds = map(float, client.hget(keys.SPEEDS("minilab"), "interactive 3 0").split())
    assert concurrency_seconds == pytest.approx(seconds)


def test_of_two_bulk_jobs_each_is_measured_as_one_of_two_however_often_others_come_and_go(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    """What is summed over time must outlive each change."""
    first, second = (_claimed(store, claims, request_of, steps=10, priority=BULK) for _ in range(2))
    _long_ago(client, first, second)
    claims.give_back(_claimed(store, claims, request_of, steps=10, priority=BULK))

    claims.succeed(first, [IMAGE])

    [cell] = [cell for name, cell in client.hgetall(keys.SPEEDS("minilab")).items() if " all " in name]
    _, _, seconds, concurrency_seconds = map(float, cell.split())
    assert concurrency_seconds / seconds == pytest.approx(2, rel=0.01)


def test_what_its_worker_did_before_a_job_came_does_not_count(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    _long_ago(client, _claimed(store, claims, request_of, steps=10))
    late = _claimed(store, claims, request_of, steps=10)

    claims.succeed(late, [IMAGE])

    [cell] = [cell for name, cell in client.hgetall(keys.SPEEDS("minilab")).items() if " all " in name]
    _, _, seconds, concurrency_seconds = map(float, cell.split())
    assert concurrency_seconds <= 4 * seconds


def test_a_bulk_job_is_measured_without_its_pauses(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    """Of a thousand seconds it paused for three hundred."""
    job = _claimed(store, claims, request_of, steps=10, priority=BULK)
    _long_ago(client, job)
    client.hincrby(keys.CONCURRENCY("w"), "paused_ms", 300_000)

    claims.succeed(job, [IMAGE])

    _, _, seconds, _ = map(float, client.hget(keys.SPEEDS("minilab"), "bulk 3 1").split())
    assert seconds == pytest.approx(700, rel=0.01)


def test_older_jobs_fade(store: JobStore, claims: Claims, client: Client, request_of: MakeRequest) -> None:
    for _ in range(40):
        claims.succeed(_claimed(store, claims, request_of, steps=10), [IMAGE])

    jobs, *_ = map(float, client.hget(keys.SPEEDS("minilab"), "interactive 3 0").split())

    assert jobs == pytest.approx(10, rel=0.02)


def test_who_is_under_way_is_counted_until_it_ends_or_goes_back(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    jobs = [_claimed(store, claims, request_of, priority=each) for each in (INTERACTIVE, BULK, BULK, BULK)]
    during = store.line_state("minilab")

    claims.succeed(jobs[1], [IMAGE])
    store.cancel(jobs[2].id)
    claims.give_back(jobs[3])
    after = store.line_state("minilab")

    assert (during.interactive, during.bulk) == (1, 3)
    assert (after.interactive, after.bulk) == (1, 0)
    assert client.hmget(keys.CONCURRENCY("w"), "interactive", "bulk") == ["1", "0"]


def _claimed(store: JobStore, claims: Claims, request_of: MakeRequest, **changes: object) -> Job:
    store.enqueue("alice", request_of(**changes))
    job = claims.claim_next("minilab", "w")
    assert job
    return job


def _long_ago(client: Client, *jobs: Job) -> None:
    """All that they know of time, a thousand seconds back."""
    for job in jobs:
        client.hincrby(keys.JOB(job.id), "started_ms", -1_000_000)
        client.hset(keys.JOB(job.id), mapping={"concurrency_ms": 0, "paused_ms": 0})
    client.hincrby(keys.CONCURRENCY("w"), "at_ms", -1_000_000)
