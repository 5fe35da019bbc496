"""No lane waits for ever: whatever happens to its job or to the engine, its wait ends."""

import threading

import pytest

from darkroom.errors import WorkerStopping
from tests.gpu_worker.engine.engine_bench import engine_bench
from tests.gpu_worker.engine.fake_lanes import drawn
from tests.gpu_worker.engine.fake_network import PATIENCE_S


class Canceled(Exception):
    pass


class Cancel:
    """A run's check that raises once it was told to."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.is_due = False

    def __call__(self) -> None:
        self.is_asked.set()
        if self.is_due:
            raise Canceled


def test_a_canceled_job_files_nothing_more() -> None:
    with engine_bench() as bench:
        cancel = Cancel()
        cancel.is_due = True

        future = bench.lane(check=cancel).call(1.0)

        assert isinstance(future.exception(PATIENCE_S), Canceled)
        assert bench.network.rows_per_forward == []


def test_a_waiting_call_is_taken_back_when_its_job_is_canceled() -> None:
    with engine_bench() as bench:
        cancel = Cancel()
        bench.network.may_go_on.clear()
        running = bench.lane().call(1.0)
        assert bench.network.has_begun.wait(PATIENCE_S)
        waiting = bench.lane(check=cancel).call(2.0)

        assert cancel.is_asked.wait(PATIENCE_S)
        cancel.is_due = True

        assert isinstance(waiting.exception(PATIENCE_S), Canceled)
        bench.network.may_go_on.set()
        assert drawn(running) == [2.0]
        assert bench.network.samples == [1.0]


def test_a_cancel_frees_the_lane_even_while_its_call_runs() -> None:
    with engine_bench() as bench:
        cancel = Cancel()
        bench.network.may_go_on.clear()
        running = bench.lane(check=cancel).call(1.0)
        assert bench.network.has_begun.wait(PATIENCE_S)

        cancel.is_due = True

        assert isinstance(running.exception(PATIENCE_S), Canceled)


def test_the_engine_outlives_the_cancel_of_the_only_call_it_had() -> None:
    with engine_bench() as bench:
        cancel = Cancel()
        awaited = bench.lane()  # the engine holds the other's call for this one
        only = bench.lane(check=cancel).call(1.0)
        assert cancel.is_asked.wait(PATIENCE_S)
        cancel.is_due = True
        assert isinstance(only.exception(PATIENCE_S), Canceled)

        bench.engine.leave(awaited.run)

        assert drawn(bench.lane().call(2.0)) == [4.0]


def test_a_stopping_engine_finishes_what_runs_and_breaks_off_what_waits() -> None:
    with engine_bench() as bench:
        bench.network.may_go_on.clear()
        running = bench.lane().call(1.0)
        assert bench.network.has_begun.wait(PATIENCE_S)
        *callers, _keeps_them_waiting = bench.lanes(3)
        waiting = [lane.call(2.0) for lane in callers]
        bench.in_background(bench.engine.stop)

        bench.network.may_go_on.set()

        assert drawn(running) == [2.0]
        assert all(isinstance(future.exception(PATIENCE_S), WorkerStopping) for future in waiting)


def test_a_stopped_engine_takes_no_more_calls() -> None:
    with engine_bench() as bench:
        bench.engine.stop()

        with pytest.raises(WorkerStopping):
            bench.lane().call(1.0).result(PATIENCE_S)


def test_calls_to_an_engine_that_never_started_are_broken_off_too() -> None:
    with engine_bench(starts=False) as bench:
        future = bench.lane().call(1.0)

        bench.engine.stop()

        assert isinstance(future.exception(PATIENCE_S), WorkerStopping)


def test_a_lost_device_gives_every_job_back_and_is_reported() -> None:
    with engine_bench() as bench:
        bench.network.loses_device = True

        futures = [lane.call(1.0) for lane in bench.lanes(3)]

        assert all(isinstance(future.exception(PATIENCE_S), WorkerStopping) for future in futures)
        bench.engine.stop()  # waits for the thread's end, which comes after the report
        assert len(bench.deaths) == 1
        assert bench.network.rows_per_forward == [3], "nothing is tried again on a lost device"


def test_an_engine_tells_whose_forward_keeps_it_busy() -> None:
    with engine_bench() as bench:
        assert bench.engine.forward() is None
        bench.network.may_go_on.clear()
        lanes = [bench.lane(job_id="job-1"), bench.lane(job_id="job-2")]
        futures = [lane.call(1.0) for lane in lanes]
        assert bench.network.has_begun.wait(PATIENCE_S)
        later = bench.lane(job_id="job-3").call(2.0)

        first = bench.engine.forward()

        assert first
        assert first.jobs == {"job-1", "job-2"}
        assert bench.engine.forward() == first
        bench.network.may_go_on.set()
        assert [drawn(future) for future in [*futures, later]] == [[2.0], [2.0], [4.0]]
        bench.engine.stop()
        assert bench.engine.forward() is None


def test_an_engine_that_dies_of_an_error_of_its_own_leaves_no_lane_waiting() -> None:
    with engine_bench() as bench:
        one, other = bench.lanes(2)
        one.run.work_left = None  # type: ignore[assignment]  # no policy can compare that

        futures = [one.call(1.0), other.call(2.0)]

        assert all(isinstance(future.exception(PATIENCE_S), WorkerStopping) for future in futures)
