"""What lanes note is told in order, and together."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from darkroom.job_store.claims import Claims
from darkroom.job_store.store import JobStore
from darkroom.jobs import Attempt, Job
from darkroom.settings import Settings
from gpu_worker.jobs.leases import Hold
from gpu_worker.jobs.progress import MOST_AT_ONCE, ProgressWriter
from tests.conftest import MakeRequest
from tests.in_a_thread import SOON_S, in_a_thread

PATIENCE_S = 10
NEVER_S = 3600.0


@dataclass
class SlowRedis:
    """Records messages, the first of which takes until it may go on. `lost`: attempts whose jobs are others' now."""

    messages: list[list[tuple[str, int]]] = field(default_factory=list)
    has_begun: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    lost: set[Attempt] = field(default_factory=set)

    def progress_of(self, done: Iterable[tuple[Job, int, int]]) -> set[Attempt]:
        self.messages.append([(job.id, step) for job, step, _ in done])
        self.has_begun.set()
        assert self.may_go_on.wait(PATIENCE_S)
        return self.lost


@pytest.fixture
def redis() -> SlowRedis:
    return SlowRedis()


@pytest.fixture
def writer(redis: SlowRedis) -> Iterator[ProgressWriter]:
    writer = ProgressWriter(redis, flush_s=NEVER_S)  # type: ignore[arg-type]
    writer.start()
    yield writer
    redis.may_go_on.set()
    writer.stop()


@pytest.fixture
def holds(store: JobStore, claims: Claims, settings: Settings, request_of: MakeRequest) -> list[Hold]:
    for _ in range(2):
        store.enqueue("alice", request_of())
    jobs = [claims.claim_next("minilab", "worker-1") for _ in range(2)]
    return [Hold(job, settings.job_deadline_s, lambda: 0.0) for job in jobs if job]


def test_what_is_noted_while_redis_takes_its_time_goes_into_one_message(
    writer: ProgressWriter, redis: SlowRedis, holds: list[Hold]
) -> None:
    one, other = holds
    writer.note(one, 1, 3)
    assert redis.has_begun.wait(PATIENCE_S)
    for hold, step in [(other, 1), (one, 2), (other, 2)]:
        writer.note(hold, step, 3)
    redis.may_go_on.set()

    writer.flush(other)

    assert redis.messages == [[(one.job.id, 1)], [(other.job.id, 1), (one.job.id, 2), (other.job.id, 2)]]


def test_a_message_has_a_bound(writer: ProgressWriter, redis: SlowRedis, holds: list[Hold]) -> None:
    writer.note(holds[0], 0, 1)
    assert redis.has_begun.wait(PATIENCE_S)
    for step in range(MOST_AT_ONCE + 1):
        writer.note(holds[0], step, 1)
    redis.may_go_on.set()

    writer.flush(holds[0])

    assert [len(message) for message in redis.messages] == [1, MOST_AT_ONCE, 1]


def test_only_a_job_that_is_lost_is_told_so(writer: ProgressWriter, redis: SlowRedis, holds: list[Hold]) -> None:
    ours, lost = holds
    redis.lost = {lost.job.held_as}
    redis.may_go_on.set()

    for hold in holds:
        writer.note(hold, 1, 2)
    for hold in holds:
        writer.flush(hold)

    assert (ours.is_over(), lost.is_over()) == (False, True)


def test_of_two_attempts_at_one_job_only_the_stale_one_is_told_so(
    writer: ProgressWriter, redis: SlowRedis, settings: Settings, holds: list[Hold]
) -> None:
    valid = holds[0]
    stale = Hold(replace(valid.job, attempt=0), settings.job_deadline_s, lambda: 0.0)
    redis.lost = {stale.job.held_as}
    redis.may_go_on.set()

    for hold in (valid, stale):
        writer.note(hold, 1, 2)
        writer.flush(hold)

    assert (valid.is_over(), stale.is_over()) == (False, True)


def test_who_flushes_is_woken_when_the_steps_are_told(
    writer: ProgressWriter, redis: SlowRedis, holds: list[Hold]
) -> None:
    writer.note(holds[0], 1, 3)
    assert redis.has_begun.wait(PATIENCE_S)
    flushed = in_a_thread(lambda: writer.flush(holds[0]))
    assert not flushed.done()

    redis.may_go_on.set()

    flushed.result(SOON_S)


def test_a_flush_has_an_end_though_redis_does_not_answer(redis: SlowRedis, holds: list[Hold]) -> None:
    writer = ProgressWriter(redis, flush_s=0.05)  # type: ignore[arg-type]
    writer.start()
    writer.note(holds[0], 1, 3)

    in_a_thread(lambda: writer.flush(holds[0])).result(SOON_S)

    redis.may_go_on.set()
    writer.stop()


def test_its_threads_end_with_it_and_a_message_is_not_cut_off(redis: SlowRedis, holds: list[Hold]) -> None:
    before = set(threading.enumerate())
    writer = ProgressWriter(redis)  # type: ignore[arg-type]
    writer.start()
    writer.note(holds[0], 1, 3)
    assert redis.has_begun.wait(PATIENCE_S)
    threading.Timer(0.1, redis.may_go_on.set).start()

    writer.stop()

    ours = set(threading.enumerate()) - before
    assert not [thread for thread in ours if not isinstance(thread, threading.Timer)]
