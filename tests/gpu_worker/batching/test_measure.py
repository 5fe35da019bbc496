"""A warm-up's calls tell the engine what to measure."""

from tests.gpu_worker.batching.engine_room import engine_room
from tests.gpu_worker.batching.fake_lanes import drawn


def test_the_knee_is_measured_on_copies_of_a_warm_up_call() -> None:
    with engine_room() as room:
        with room.engine.tapped() as calls:
            drawn(room.lane().call(1.0, 2.0))
        room.network.rows_per_forward.clear()

        knee = room.engine.knee(calls[0], most_rows=8)

        assert knee in {2, 4, 8}
        assert set(room.network.rows_per_forward) <= {2, 4, 8}
        assert len(calls) == 1, "what is measured is no call of a lane"


def test_rows_that_do_not_fit_into_memory_are_beyond_the_knee() -> None:
    with engine_room() as room:
        with room.engine.tapped() as calls:
            drawn(room.lane().call(1.0))
        room.network.room = 1

        assert room.engine.knee(calls[0], most_rows=8) == 1
