import pytest

from gpu_worker.delivery.outbox import LONGEST_S, Backoff
from tests.gpu_worker.conftest import Clock


@pytest.fixture
def backoff(clock: Clock) -> Backoff:
    return Backoff(clock, chance=lambda: 1.0)


def test_pauses_grow_to_a_bound(backoff: Backoff, clock: Clock) -> None:
    for pause_s in (0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_S, LONGEST_S):
        backoff.failed()

        clock.now_s += pause_s - 0.01
        assert not backoff.may_try()
        clock.now_s += 0.02
        assert backoff.may_try()


def test_a_try_that_worked_ends_them(backoff: Backoff) -> None:
    backoff.failed()

    backoff.worked()

    assert backoff.may_try()


def test_a_try_that_hangs_does_not_keep_the_next_from_its_turn(backoff: Backoff, clock: Clock) -> None:
    for _ in range(6):
        backoff.failed()
    clock.now_s += LONGEST_S

    backoff.began()
    assert not backoff.may_try()
    clock.now_s += LONGEST_S

    assert backoff.may_try()


def test_two_workers_do_not_come_back_at_the_same_moment(clock: Clock) -> None:
    early, late = Backoff(clock, chance=lambda: 0.0), Backoff(clock, chance=lambda: 1.0)
    for backoff in (early, late):
        backoff.failed()

    clock.now_s += 0.15

    assert (early.may_try(), late.may_try()) == (True, False)
