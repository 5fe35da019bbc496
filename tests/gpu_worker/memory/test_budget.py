"""Who is let in when memory is short."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from gpu_worker.memory.budget import MemoryBudget, Need
from gpu_worker.memory.device import Peak, peak_through

PATIENCE_S = 30
SMALL = Need(held_bytes=10, forward_bytes=30)
LARGE = Need(held_bytes=40, forward_bytes=60)


def budget_of(free_bytes: int | None) -> MemoryBudget:
    budget = MemoryBudget()
    budget.set(free_bytes)
    return budget


class Visitor:
    """A job that waits in a thread of its own, until it is told to leave."""

    def __init__(self, budget: MemoryBudget, need: Need, threads: ThreadPoolExecutor) -> None:
        self.is_inside, self.may_leave, self.has_asked = threading.Event(), threading.Event(), threading.Event()
        self._budget, self._need = budget, need
        self.done: Future[None] = threads.submit(self._visit)

    def _visit(self) -> None:
        with self._budget.taken(self._need, self.has_asked.set):
            self.is_inside.set()
            assert self.may_leave.wait(PATIENCE_S)


def test_jobs_come_in_as_long_as_all_of_them_and_their_largest_forward_fit() -> None:
    budget = budget_of(60)  # three small ones hold 30, and one forward of theirs takes 30 more
    with ThreadPoolExecutor(4) as threads:
        visitors = [Visitor(budget, SMALL, threads) for _ in range(3)]
        assert all(visitor.is_inside.wait(PATIENCE_S) for visitor in visitors)

        fourth = Visitor(budget, SMALL, threads)
        assert fourth.has_asked.wait(PATIENCE_S)
        assert not fourth.is_inside.is_set()

        visitors[0].may_leave.set()
        assert fourth.is_inside.wait(PATIENCE_S)
        for visitor in (*visitors, fourth):
            visitor.may_leave.set()


def test_a_large_job_that_waits_is_not_overtaken_by_small_ones() -> None:
    budget = budget_of(100)
    with ThreadPoolExecutor(3) as threads:
        inside = Visitor(budget, SMALL, threads)
        assert inside.is_inside.wait(PATIENCE_S)
        large = Visitor(budget, LARGE, threads)
        assert large.has_asked.wait(PATIENCE_S)
        small = Visitor(budget, SMALL, threads)
        assert small.has_asked.wait(PATIENCE_S)

        assert not small.is_inside.is_set(), "though there would be room for it"

        inside.may_leave.set()
        assert large.is_inside.wait(PATIENCE_S)
        large.may_leave.set()
        small.may_leave.set()
        small.done.result(PATIENCE_S)


def test_a_job_that_is_canceled_while_it_waits_makes_way() -> None:
    budget = budget_of(50)

    def canceled() -> None:
        raise InterruptedError

    with budget.taken(SMALL, lambda: None):
        with pytest.raises(InterruptedError), budget.taken(LARGE, canceled):
            pass
        with budget.taken(SMALL, lambda: None):
            pass


def test_whoever_is_inside_alone_was_let_in_whatever_it_takes() -> None:
    with budget_of(1).taken(LARGE, lambda: None):
        pass


def test_where_nothing_is_known_of_memory_everybody_comes_in() -> None:
    budget = budget_of(None)

    with ExitStack() as lanes:
        for _ in range(1000):
            lanes.enter_context(budget.taken(LARGE, lambda: None))

    assert budget.is_enough_for(LARGE)
    assert budget.rows(Peak(0, 10)) is None


def test_a_batch_has_the_room_that_lanes_leave_and_one_row_at_least() -> None:
    budget = budget_of(100)
    peak = Peak(fixed_bytes=20, row_bytes=10)

    with budget.taken(SMALL, lambda: None), budget.taken(SMALL, lambda: None):
        assert budget.rows(peak) == 6
    assert budget.rows(peak) == 8
    assert budget.rows(Peak(fixed_bytes=200, row_bytes=10)) == 1
    assert budget.rows(Peak()) is None, "nothing was measured"


@pytest.mark.parametrize(
    ("measured", "peak"),
    [
        ({1: 30, 2: 50, 8: 170}, Peak(10, 20)),
        ({2: 40}, Peak(0, 20)),
        ({1: 50, 4: 50}, Peak(50, 0)),
        ({1: 10, 4: 80}, Peak(0, 24)),  # faster than in proportion, which a line from the first size does not show
        ({}, Peak()),
    ],
)
def test_the_memory_of_a_forward_is_a_line_over_its_rows(measured: dict[int, int], peak: Peak) -> None:
    assert peak_through(measured) == peak
