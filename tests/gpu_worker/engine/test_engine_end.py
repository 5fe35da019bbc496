"""No lane waits for ever: whatever happens to its job or to the engine, its wait ends."""

import threading

import pytest

from darkroom.errors import WorkerStopping
from tests.gpu_worker.engine.engine_bench import engine_room
from tests.gpu_worker.engine.fake_lanes import drawn
from tests.gpu_worker.engine.fake_network import PATIENCE_S


class Canceled(Exception):
    pass


class Cancel:
    """A pass's check that raises once it was told to."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.is_due = False

    def __call__(self) -> None:
        self.is_asked.set()
        if self.is_due:
            raise Canceled


def test_a_canceled_job_files_nothing_more() -> None:
    with engine_room() as room:
        cancel = Cancel()
        cancel.is_due = True

        future = room.lane(check=cancel).call(1.0)

        assert isinstance(future.exception(PATIENCE_S), Canceled)
        assert room.network.rows_per_forward == []


def test_a_waiting_call_is_taken_back_when_its_job_is_canceled() -> None:
    with engine_room() as room:
        cancel = Cancel()
        room.network.may_go_on.clear()
        running = room.lane().call(1.0)
        assert room.network.has_begun.wait(PATIENCE_S)
        waiting = room.lane(check=cancel).call(2.0)

        assert cancel.is_asked.wait(PATIENCE_S)
        cancel.is_due = True

        assert isinstance(waiting.exception(PATIENCE_S), Canceled)
        room.network.may_go_on.set()
        assert drawn(running) == [2.0]
        assert room.network.samples == [1.0]


def test_a_cancel_frees_the_lane_even_while_its_call_runs() -> None:
    with engine_room() as room:
        cancel = Cancel()
        room.network.may_go_on.clear()
        running = room.lane(check=cancel).call(1.0)
        assert room.network.has_begun.wait(PATIENCE_S)

        cancel.is_due = True

        assert isinstance(running.exception(PATIENCE_S), Canceled)


def test_the_engine_outlives_the_cancel_of_the_only_call_it_had() -> None:
    with engine_room() as room:
        cancel = Cancel()
        awaited = room.lane()  # the engine holds the other's call for this one
        only = room.lane(check=cancel).call(1.0)
        assert cancel.is_asked.wait(PATIENCE_S)
        cancel.is_due = True
        assert isinstance(only.exception(PATIENCE_S), Canceled)

        room.engine.leave(awaited.pass_)

        assert drawn(room.lane().call(2.0)) == [4.0]


def test_a_stopping_engine_finishes_what_runs_and_breaks_off_what_waits() -> None:
    with engine_room() as room:
        room.network.may_go_on.clear()
        running = room.lane().call(1.0)
        assert room.network.has_begun.wait(PATIENCE_S)
        *callers, _keeps_them_waiting = room.lanes(3)
        waiting = [lane.call(2.0) for lane in callers]
        room.in_background(room.engine.stop)

        room.network.may_go_on.set()

        assert drawn(running) == [2.0]
        assert all(isinstance(future.exception(PATIENCE_S), WorkerStopping) for future in waiting)


def test_a_stopped_engine_takes_no_more_calls() -> None:
    with engine_room() as room:
        room.engine.stop()

        with pytest.raises(WorkerStopping):
            room.lane().call(1.0).result(PATIENCE_S)


def test_calls_to_an_engine_that_never_started_are_broken_off_too() -> None:
    with engine_room(starts=False) as room:
        future = room.lane().call(1.0)

        room.engine.stop()

        assert isinstance(future.exception(PATIENCE_S), WorkerStopping)


def test_a_lost_device_gives_every_job_back_and_is_reported() -> None:
    with engine_room() as room:
        room.network.loses_device = True

        futures = [lane.call(1.0) for lane in room.lanes(3)]

        assert all(isinstance(future.exception(PATIENCE_S), WorkerStopping) for future in futures)
        room.engine.stop()  # waits for the thread's end, which comes after the report
        assert len(room.deaths) == 1
        assert room.network.rows_per_forward == [3], "nothing is tried again on a lost device"


def test_an_engine_tells_whose_forward_keeps_it_busy() -> None:
    with engine_room() as room:
        assert room.engine.forward() is None
        room.network.may_go_on.clear()
        lanes = [room.lane(job_id="job-1"), room.lane(job_id="job-2")]
        futures = [lane.call(1.0) for lane in lanes]
        assert room.network.has_begun.wait(PATIENCE_S)
        later = room.lane(job_id="job-3").call(2.0)

        first = room.engine.forward()

        assert first
        assert first.jobs == {"job-1", "job-2"}
        assert room.engine.forward() == first
        room.network.may_go_on.set()
        assert [drawn(future) for future in [*futures, later]] == [[2.0], [2.0], [4.0]]
        room.engine.stop()
        assert room.engine.forward() is None


def test_an_engine_that_dies_of_an_error_of_its_own_leaves_no_lane_waiting() -> None:
    with engine_room() as room:
        one, other = room.lanes(2)
        one.pass_.work_left = None  # type: ignore[assignment]  # no policy can compare that

        futures = [one.call(1.0), other.call(2.0)]

        assert all(isinstance(future.exception(PATIENCE_S), WorkerStopping) for future in futures)
