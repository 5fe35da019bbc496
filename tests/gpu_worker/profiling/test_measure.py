"""A warm-up's calls tell the engine what to measure."""

from gpu_worker.engine.knees import Profile
from gpu_worker.memory.budget import Need
from gpu_worker.memory.device import Peak
from gpu_worker.profiling.measure import profile_of
from tests.gpu_worker.engine.engine_bench import EngineBench, engine_bench
from tests.gpu_worker.engine.fake_lanes import drawn
from tests.gpu_worker.engine.fake_memory import ROW_BYTES


def test_the_knee_is_measured_on_copies_of_a_warm_up_call() -> None:
    with engine_bench() as bench:
        with bench.engine.tapped() as calls:
            drawn(bench.lane().call(1.0, 2.0))
        bench.network.rows_per_forward.clear()

        knee = profile_of(calls[0], 8, bench.engine).rows

        assert knee in {2, 4, 8}
        assert set(bench.network.rows_per_forward) <= {2, 4, 8}
        assert len(calls) == 1, "what is measured is no call of a lane"


def test_rows_that_do_not_fit_into_memory_are_beyond_the_knee() -> None:
    with engine_bench() as bench:
        with bench.engine.tapped() as calls:
            drawn(bench.lane().call(1.0))
        bench.network.most_rows = 1

        assert profile_of(calls[0], 8, bench.engine).rows == 1


def test_a_batch_is_no_larger_than_what_is_left_of_the_memory() -> None:
    with engine_bench(free_bytes=5 * ROW_BYTES) as bench:
        warm_up(bench, knee=64)

        with bench.engine.memory_budget.taken(Need(held_bytes=2 * ROW_BYTES, forward_bytes=ROW_BYTES), lambda: None):
            futures = [lane.call(1.0) for lane in bench.lanes(7)]
            assert [drawn(future) for future in futures] == [[2.0]] * 7

        assert bench.network.rows_per_forward == [3, 3, 1]


def test_the_memory_of_a_shape_is_measured_with_its_knee() -> None:
    with engine_bench(free_bytes=1000) as bench:
        with bench.engine.tapped() as calls:
            drawn(bench.lane().call(1.0))

        assert profile_of(calls[0], 1, bench.engine).peak == Peak(0, ROW_BYTES)


def warm_up(bench: EngineBench, knee: int) -> None:
    with bench.engine.tapped() as calls:
        drawn(bench.lane().call(1.0))
    bench.engine.knees.measured(calls[0].fit, Profile(knee, Peak(0, ROW_BYTES)))
    bench.engine.weigh()
    bench.network.rows_per_forward.clear()
