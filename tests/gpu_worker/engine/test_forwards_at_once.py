"""An engine with several threads, as on a CPU. The networks are fake ones."""

import threading
from concurrent.futures import Future
from typing import Any

import structlog
import torch

from darkroom.errors import WorkerStopping
from gpu_worker.engine.cores import Division
from gpu_worker.engine.tempo import Tempo
from tests.gpu_worker.engine.engine_bench import EngineBench, engine_bench
from tests.gpu_worker.engine.fake_lanes import FakeLane, drawn, entry_of
from tests.gpu_worker.engine.fake_network import PATIENCE_S, FakeNetwork


class Uncopyable(FakeNetwork):
    def __init__(self) -> None:
        super().__init__()
        self.ran_in: list[str] = []

    def _begin(self, sample: torch.Tensor) -> None:
        self.ran_in.append(threading.current_thread().name)
        super()._begin(sample)

    def __deepcopy__(self, _memo: object) -> FakeNetwork:
        raise TypeError("cannot pickle '_thread.lock' object")


class Meeting(FakeNetwork):
    """Its forwards go on when as many of them are there as were expected."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.barrier = threading.Barrier(expected)

    def _begin(self, sample: torch.Tensor) -> None:
        super()._begin(sample)
        self.barrier.wait(PATIENCE_S)


def begun(bench: EngineBench, lane: FakeLane, sample: float) -> "Future[Any]":
    """A call whose forward has begun, and cannot end before the network may go on."""
    bench.network.may_go_on.clear()
    bench.network.has_begun.clear()
    future: Future[Any] = lane.call(sample)
    assert bench.network.has_begun.wait(PATIENCE_S)
    return future


def test_forwards_run_at_once() -> None:
    with engine_bench(network=Meeting(2), knee=1, forwards_at_once=2) as bench:
        futures = [lane.call(1.0) for lane in bench.lanes(2)]

        assert [drawn(future) for future in futures] == [[2.0], [2.0]], "each waited for the other"


def test_what_there_is_to_do_is_shared_out_among_idle_threads() -> None:
    with engine_bench(network=Meeting(2), forwards_at_once=2) as bench:
        futures = [lane.call(1.0) for lane in bench.lanes(6)]

        assert [drawn(future) for future in futures] == [[2.0]] * 6
        assert bench.network.rows_per_forward == [3, 3]


def test_a_network_that_cannot_be_copied_runs_in_one_thread_and_says_so_once() -> None:
    network = Uncopyable()
    with structlog.testing.capture_logs() as logs, engine_bench(network=network, knee=1, forwards_at_once=3) as bench:
        bench.network.may_go_on.clear()
        futures = [lane.call(1.0) for lane in bench.lanes(3)]
        assert bench.network.has_begun.wait(PATIENCE_S)

        assert bench.network.rows_per_forward == [1]
        bench.network.may_go_on.set()
        assert [drawn(future) for future in futures] == [[2.0]] * 3
    assert network.ran_in == ["engine-0"] * 3
    warnings = [log for log in logs if log["log_level"] == "warning"]
    assert [(log["event"], log["network"]) for log in warnings] == [("network.not_batchable", "FakeNetwork")]


def test_the_watchdog_is_told_of_the_forward_that_runs_longest_and_of_no_other_s_jobs() -> None:
    with engine_bench(knee=1, forwards_at_once=2) as bench:
        first = begun(bench, bench.lane(job_id="job-1"), 1.0)
        second = begun(bench, bench.lane(job_id="job-2"), 2.0)

        forward = bench.engine.forward()

        assert forward
        assert forward.jobs == {"job-1"}
        assert "_begin" in bench.engine.stack()
        bench.network.may_go_on.set()
        assert [drawn(first), drawn(second)] == [[2.0], [4.0]]


def test_stopping_waits_for_every_forward_that_runs() -> None:
    with engine_bench(knee=1, forwards_at_once=2) as bench:
        first, second = begun(bench, bench.lane(), 1.0), begun(bench, bench.lane(), 2.0)
        waiting = bench.lane().call(3.0)
        bench.in_background(bench.engine.stop)

        assert isinstance(waiting.exception(PATIENCE_S), WorkerStopping)
        bench.network.may_go_on.set()

        assert [drawn(first), drawn(second)] == [[2.0], [4.0]]


def test_a_lost_device_takes_no_other_thread_s_images_along() -> None:
    with engine_bench(knee=1, tempo=Tempo(), forwards_at_once=2) as bench:
        running = begun(bench, bench.lane(), 1.0)
        ill = FakeNetwork()
        ill.loses_device = True
        bench.engine.spread([entry_of(ill)], lambda _cores: Division(threads=1, forwards=2))

        hit = bench.lane(ill).call(1.0)

        assert isinstance(hit.exception(PATIENCE_S), WorkerStopping)
        bench.network.may_go_on.set()
        assert drawn(running) == [2.0]
        bench.engine.stop()  # waits for the thread's end, which comes after the report
        assert len(bench.deaths) == 1
