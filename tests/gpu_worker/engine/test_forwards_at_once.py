"""An engine with several threads, as on a CPU. The networks are fake ones."""

import threading
from concurrent.futures import Future
from typing import Any

import structlog
import torch

from darkroom.errors import WorkerStopping
from gpu_worker.engine.cores import Division
from gpu_worker.engine.tempo import Pace
from tests.gpu_worker.engine.engine_bench import EngineRoom, engine_room
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


def begun(room: EngineRoom, lane: FakeLane, sample: float) -> "Future[Any]":
    """A call whose forward has begun, and cannot end before the network may go on."""
    room.network.may_go_on.clear()
    room.network.has_begun.clear()
    future: Future[Any] = lane.call(sample)
    assert room.network.has_begun.wait(PATIENCE_S)
    return future


def test_forwards_run_at_once() -> None:
    with engine_room(network=Meeting(2), knee=1, forwards_at_once=2) as room:
        futures = [lane.call(1.0) for lane in room.lanes(2)]

        assert [drawn(future) for future in futures] == [[2.0], [2.0]], "each waited for the other"


def test_what_there_is_to_do_is_shared_out_among_idle_threads() -> None:
    with engine_room(network=Meeting(2), forwards_at_once=2) as room:
        futures = [lane.call(1.0) for lane in room.lanes(6)]

        assert [drawn(future) for future in futures] == [[2.0]] * 6
        assert room.network.rows_per_forward == [3, 3]


def test_a_network_that_cannot_be_copied_runs_in_one_thread_and_says_so_once() -> None:
    network = Uncopyable()
    with structlog.testing.capture_logs() as logs, engine_room(network=network, knee=1, forwards_at_once=3) as room:
        room.network.may_go_on.clear()
        futures = [lane.call(1.0) for lane in room.lanes(3)]
        assert room.network.has_begun.wait(PATIENCE_S)

        assert room.network.rows_per_forward == [1]
        room.network.may_go_on.set()
        assert [drawn(future) for future in futures] == [[2.0]] * 3
    assert network.ran_in == ["engine-0"] * 3
    warnings = [log for log in logs if log["log_level"] == "warning"]
    assert [(log["event"], log["network"]) for log in warnings] == [("network.not_batchable", "FakeNetwork")]


def test_the_watchdog_is_told_of_the_forward_that_runs_longest_and_of_no_other_s_jobs() -> None:
    with engine_room(knee=1, forwards_at_once=2) as room:
        first = begun(room, room.lane(job_id="job-1"), 1.0)
        second = begun(room, room.lane(job_id="job-2"), 2.0)

        forward = room.engine.forward()

        assert forward
        assert forward.jobs == {"job-1"}
        assert "_begin" in room.engine.stack()
        room.network.may_go_on.set()
        assert [drawn(first), drawn(second)] == [[2.0], [4.0]]


def test_stopping_waits_for_every_forward_that_runs() -> None:
    with engine_room(knee=1, forwards_at_once=2) as room:
        first, second = begun(room, room.lane(), 1.0), begun(room, room.lane(), 2.0)
        waiting = room.lane().call(3.0)
        room.in_background(room.engine.stop)

        assert isinstance(waiting.exception(PATIENCE_S), WorkerStopping)
        room.network.may_go_on.set()

        assert [drawn(first), drawn(second)] == [[2.0], [4.0]]


def test_a_lost_device_takes_no_other_thread_s_images_along() -> None:
    with engine_room(knee=1, pace=Pace("cpu"), forwards_at_once=2) as room:
        running = begun(room, room.lane(), 1.0)
        ill = FakeNetwork()
        ill.loses_device = True
        room.engine.spread([entry_of(ill)], lambda _cores: Division(threads=1, forwards=2))

        hit = room.lane(ill).call(1.0)

        assert isinstance(hit.exception(PATIENCE_S), WorkerStopping)
        room.network.may_go_on.set()
        assert drawn(running) == [2.0]
        room.engine.stop()  # waits for the thread's end, which comes after the report
        assert len(room.deaths) == 1
