"""What wakes whoever gathers a forward; and how calls wait. Lanes file here without threads of their own."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from gpu_worker.engine.call import Call, Entry, Run
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.runner import InFlight, Runner
from gpu_worker.engine.scheduler import Scheduler
from gpu_worker.engine.unbatchable import Unbatchable
from gpu_worker.engine.waiting import WaitingCalls
from gpu_worker.memory.budget import MemoryBudget
from tests.gpu_worker.engine.batch_mates import PatientTempo
from tests.gpu_worker.engine.fake_lanes import entry_of
from tests.gpu_worker.engine.fake_network import FakeNetwork

PATIENCE_S = 10
A_MOMENT_S = 0.05


class WatchedTempo(PatientTempo):
    """Is asked at each look at what waits."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Event()

    def worth_waiting_s(self, *, is_urgent: bool = False) -> float:
        self.looked.set()
        return super().worth_waiting_s(is_urgent=is_urgent)

    def was_asked(self) -> bool:
        asked = self.looked.wait(A_MOMENT_S)
        self.looked.clear()
        return asked


class Bench:
    """`lanes` of them are inside, and expected."""

    def __init__(self, threads: ThreadPoolExecutor, lanes: int, knee: int = 64) -> None:
        knees, self.tempo = Knees(knee), WatchedTempo()
        self.scheduler = Scheduler(knees, MemoryBudget(), self.tempo, InFlight("cpu"), clock=lambda: 0.0)
        self.runner = Runner(knees, Unbatchable(), lambda _batch, _results: None)
        self.scheduler.join(self.runner)
        self.runs = [Run(priority=1, work_left=1, entered_s=0) for _ in range(lanes)]
        for run in self.runs:
            self.scheduler.enter(run)
        self.fetched: Future[Sequence[Call]] = threads.submit(self.scheduler.fetch, self.runner)

    def file(self, run: Run, entry: Entry, **arguments: Any) -> None:
        self.scheduler.file(call_of(run, entry, **arguments))

    def batch(self) -> list[Run]:
        return [call.run for call in self.fetched.result(PATIENCE_S)]


def call_of(run: Run, entry: Entry, **arguments: Any) -> Call:
    tensors = (torch.zeros(1, 1),)
    return Call(run, entry, tensors, arguments, Unbatchable().arguments(entry, tensors, arguments), filed_s=0.0)


@contextmanager
def fetching(lanes: int, knee: int = 64) -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as threads:
        bench = Bench(threads, lanes, knee)
        try:
            yield bench
        finally:
            bench.scheduler.close()


@pytest.fixture
def entry() -> Entry:
    return entry_of(FakeNetwork())


def test_between_the_first_call_and_the_last_nobody_looks(entry: Entry) -> None:
    with fetching(lanes=5) as bench:
        first, *others, last = bench.runs

        bench.file(first, entry)
        assert bench.tempo.was_asked()
        for run in others:
            bench.file(run, entry)
            assert not bench.tempo.was_asked()
        bench.file(last, entry)

        assert bench.batch() == bench.runs


def test_a_group_that_is_full_waits_for_no_more(entry: Entry) -> None:
    with fetching(lanes=5, knee=2) as bench:
        bench.file(bench.runs[0], entry)
        bench.file(bench.runs[1], entry)

        assert bench.batch() == bench.runs[:2]


def test_a_call_of_another_kind_may_be_the_more_urgent(entry: Entry) -> None:
    with fetching(lanes=4, knee=2) as bench:
        slow, quick, also_quick, _away = bench.runs
        quick.priority = also_quick.priority = 0
        bench.file(slow, entry)
        assert bench.tempo.was_asked()

        bench.file(quick, entry)
        assert bench.tempo.was_asked()
        bench.file(also_quick, entry)

        assert bench.batch() == [quick, also_quick]


def test_calls_wait_in_groups_of_what_fits_and_is_as_urgent(entry: Entry) -> None:
    waiting = WaitingCalls()
    runs = [Run(priority, work_left=1, entered_s=0) for priority in (0, 1, 1)]
    calls = [call_of(run, entry) for run in runs] + [call_of(runs[1], entry, scale=5.0)]

    sizes = [len(waiting.add(call)) for call in calls]

    assert sizes == [1, 1, 2, 1]
    assert [len(group) for group in waiting.within_reach(lambda _: True).values()] == [1, 2, 1]
    assert waiting.within_reach(lambda other: other != entry) == {}
    assert list(waiting.fitting(calls[0].fit)) == calls[:3]


def test_what_has_left_waits_no_more(entry: Entry) -> None:
    waiting = WaitingCalls()
    calls = [call_of(Run(1, work_left=1, entered_s=0), entry) for _ in range(3)]
    for call in calls:
        waiting.add(call)

    waiting.remove(calls[:2])

    assert [call in waiting for call in calls] == [False, False, True]
    assert list(waiting.clear()) == calls[2:]
    assert waiting.within_reach(lambda _: True) == {}
