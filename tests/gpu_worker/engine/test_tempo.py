"""How fast lanes and forwards are, driven by hand."""

import pytest

from gpu_worker.engine.tempo import MOST_OF_A_FORWARD, Tempo


@pytest.fixture
def tempo() -> Tempo:
    return Tempo()


def test_before_the_first_forward_nobody_is_waited_for(tempo: Tempo) -> None:
    assert tempo.worth_waiting_s() == 0
    assert tempo.speed == 0


def test_lanes_are_waited_for_as_long_as_they_usually_take(tempo: Tempo) -> None:
    tempo.forward_done(10.0)
    for step in range(100):
        tempo.lane_served(1, step, work_left=1)
        tempo.lane_returned(1, step + 0.01, work_left=1)

    assert tempo.worth_waiting_s() == pytest.approx(0.03, rel=0.01)


def test_no_longer_than_a_part_of_a_forward(tempo: Tempo) -> None:
    tempo.forward_done(0.001)

    assert tempo.worth_waiting_s() == pytest.approx(MOST_OF_A_FORWARD * 0.001)


def test_a_lane_that_goes_before_all_others_is_waited_for_longer(tempo: Tempo) -> None:
    tempo.forward_done(10.0)
    tempo.lane_served(1, 0.0, work_left=1)
    tempo.lane_returned(1, 0.01, work_left=1)

    assert tempo.worth_waiting_s() < 0.1
    assert tempo.worth_waiting_s(is_urgent=True) == MOST_OF_A_FORWARD * 10.0


@pytest.mark.parametrize("away_s", [1.5, 100.0])
def test_a_lane_that_was_held_up_teaches_nothing(tempo: Tempo, away_s: float) -> None:
    tempo.forward_done(10.0)
    usual_s = tempo.worth_waiting_s()

    tempo.lane_served(1, 0, work_left=1)
    tempo.lane_returned(1, away_s, work_left=1)

    assert tempo.worth_waiting_s() == usual_s


def test_a_lane_that_left_is_forgotten(tempo: Tempo) -> None:
    tempo.forward_done(10.0)
    usual_s = tempo.worth_waiting_s()
    tempo.lane_served(1, 0, work_left=1)

    tempo.lane_left(1)
    tempo.lane_returned(1, 0.9, work_left=1)  # another, which got its number

    assert tempo.worth_waiting_s() == usual_s


def test_speed_is_the_work_that_all_lanes_together_get_done_a_second(tempo: Tempo) -> None:
    for step in range(50):
        for lane in (1, 2):
            tempo.lane_returned(lane, step, work_left=100 - step * 0.25)
            tempo.lane_served(lane, step, work_left=100 - step * 0.25)
        tempo.forward_done(0.5)

    assert tempo.speed == pytest.approx(2 * 0.25 / 0.5, rel=0.01)


def test_forwards_that_run_at_once_add_up_to_the_worker_s_speed(tempo: Tempo) -> None:
    for step in range(50):
        tempo.lane_returned(1, step, work_left=100 - step * 0.25)
        tempo.lane_served(1, step, work_left=100 - step * 0.25)
        tempo.forward_done(0.5, at_once=2)

    assert tempo.speed == pytest.approx(2 * 0.25 / 0.5, rel=0.01)


def test_a_slow_forward_counts_for_a_fifth(tempo: Tempo) -> None:
    tempo.forward_done(0.001)
    tempo.forward_done(0.006)

    assert tempo.worth_waiting_s() == pytest.approx(MOST_OF_A_FORWARD * 0.002)
