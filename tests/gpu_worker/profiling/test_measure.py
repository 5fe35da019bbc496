"""A warm-up's calls tell the engine what to measure."""

from gpu_worker.engine.knees import Worth
from gpu_worker.memory.budget import Need
from gpu_worker.memory.device import Peak
from tests.gpu_worker.engine.engine_bench import EngineRoom, engine_room
from tests.gpu_worker.engine.fake_lanes import drawn
from tests.gpu_worker.engine.fake_memory import ROW_BYTES


def test_the_knee_is_measured_on_copies_of_a_warm_up_call() -> None:
    with engine_room() as room:
        with room.engine.tapped() as calls:
            drawn(room.lane().call(1.0, 2.0))
        room.network.rows_per_forward.clear()

        knee = room.engine.worth(calls[0], most_rows=8).rows

        assert knee in {2, 4, 8}
        assert set(room.network.rows_per_forward) <= {2, 4, 8}
        assert len(calls) == 1, "what is measured is no call of a lane"


def test_rows_that_do_not_fit_into_memory_are_beyond_the_knee() -> None:
    with engine_room() as room:
        with room.engine.tapped() as calls:
            drawn(room.lane().call(1.0))
        room.network.room = 1

        assert room.engine.worth(calls[0], most_rows=8).rows == 1


def test_a_batch_is_no_larger_than_what_is_left_of_the_memory() -> None:
    with engine_room(free_bytes=5 * ROW_BYTES) as room:
        warm_up(room, knee=64)

        with room.engine.headroom.taken(Need(held_bytes=2 * ROW_BYTES, forward_bytes=ROW_BYTES), lambda: None):
            futures = [lane.call(1.0) for lane in room.lanes(7)]
            assert [drawn(future) for future in futures] == [[2.0]] * 7

        assert room.network.rows_per_forward == [3, 3, 1]


def test_the_memory_of_a_shape_is_measured_with_its_knee() -> None:
    with engine_room(free_bytes=1000) as room:
        with room.engine.tapped() as calls:
            drawn(room.lane().call(1.0))

        assert room.engine.worth(calls[0], most_rows=1).peak == Peak(0, ROW_BYTES)


def warm_up(room: EngineRoom, knee: int) -> None:
    with room.engine.tapped() as calls:
        drawn(room.lane().call(1.0))
    room.engine.knees.measured(calls[0].fit, Worth(knee, Peak(0, ROW_BYTES)))
    room.engine.weigh()
    room.network.rows_per_forward.clear()
