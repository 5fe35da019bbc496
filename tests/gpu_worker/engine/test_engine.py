"""Who shares a forward with whom, and when. The network is a fake one that counts rows."""

from typing import Any

import pytest
import torch

from gpu_worker.engine.tempo import Tempo
from tests.gpu_worker.engine.engine_bench import engine_bench
from tests.gpu_worker.engine.fake_lanes import drawn
from tests.gpu_worker.engine.fake_network import PATIENCE_S, FakeNetwork


def test_calls_that_fit_share_a_forward_and_each_gets_its_own_rows() -> None:
    with engine_bench() as bench:
        one, two, three = bench.lanes(3)

        futures = [one.call(1.0), two.call(2.0, 3.0), three.call(4.0)]

        assert [drawn(future) for future in futures] == [[2.0], [4.0, 6.0], [8.0]]
        assert bench.network.rows_per_forward == [4]


class Checker(FakeNetwork):
    """As a safety checker: the images, and a flag for each."""

    def forward(self, sample: torch.Tensor, scale: Any = 2.0) -> Any:
        return super().forward(sample, scale)[0], [value > 1 for value in sample.flatten().tolist()]


def test_one_user_s_flag_reaches_no_batch_mate() -> None:
    with engine_bench(network=Checker()) as bench:
        one, two, three = bench.lanes(3)

        futures = [one.call(5.0), two.call(1.0), three.call(1.0, 7.0)]

        assert [future.result(PATIENCE_S)[1] for future in futures] == [[True], [False], [False, True]]
        assert bench.network.rows_per_forward == [4]


def test_a_latecomer_joins_the_batch_in_flight() -> None:
    with engine_bench() as bench:
        bench.network.may_go_on.clear()
        early = bench.lane().calls([(1.0,), (2.0,), (3.0,)])
        assert bench.network.has_begun.wait(PATIENCE_S)

        late = bench.lane().calls([(10.0,), (20.0,)])
        bench.network.may_go_on.set()

        assert (drawn(early), drawn(late)) == ([6.0], [40.0])
        assert bench.network.rows_per_forward == [1, 2, 2]


def test_a_lane_that_left_is_not_waited_for() -> None:
    with engine_bench() as bench:
        short, long = bench.lanes(2)

        futures = [short.calls([(1.0,)]), long.calls([(2.0,), (3.0,), (4.0,)])]

        assert [drawn(future) for future in futures] == [[2.0], [8.0]]
        assert bench.network.rows_per_forward == [2, 1, 1]


def test_without_any_pace_known_nobody_is_waited_for() -> None:
    with engine_bench(tempo=Tempo()) as bench:
        quick, _never_comes = bench.lanes(2)

        assert drawn(quick.call(1.0)) == [2.0]


def test_calls_with_other_values_do_not_share() -> None:
    with engine_bench() as bench:
        one, other = bench.lanes(2)

        futures = [one.call(1.0, scale=3.0), other.call(1.0, scale=5.0)]

        assert [drawn(future) for future in futures] == [[3.0], [5.0]]
        assert bench.network.rows_per_forward == [1, 1]


def test_two_networks_of_one_class_never_share() -> None:
    with engine_bench() as bench:
        twin = FakeNetwork()
        one, other = bench.lane(), bench.lane(twin)

        futures = [one.call(1.0), other.call(2.0)]

        assert [drawn(future) for future in futures] == [[2.0], [4.0]]
        assert (bench.network.samples, twin.samples) == ([1.0], [2.0])


def test_what_is_beyond_the_knee_goes_into_the_next_forward() -> None:
    with engine_bench(knee=2) as bench:
        futures = [lane.call(1.0) for lane in bench.lanes(5)]

        assert [drawn(future) for future in futures] == [[2.0]] * 5
        assert bench.network.rows_per_forward == [2, 2, 1]


@pytest.mark.parametrize("knee", [2, 3])  # room for one call of two rows
def test_interactive_overtakes_bulk_at_the_next_forward(knee: int) -> None:
    with engine_bench(knee=knee) as bench:
        bulk, interactive = bench.lane(priority=1), bench.lane(priority=0)

        futures = [bulk.call(1.0, 1.0), interactive.calls([(2.0, 2.0), (3.0, 3.0)])]

        assert [drawn(future) for future in futures] == [[2.0, 2.0], [6.0, 6.0]]
        assert bench.network.samples == [2.0, 2.0, 3.0, 3.0, 1.0, 1.0]


@pytest.mark.parametrize("wrong", [{"unknown": 1}, {"sample": 1}])
def test_a_call_with_wrong_arguments_fails_alone_and_spoils_no_later_batch(wrong: dict[str, object]) -> None:
    with engine_bench() as bench:
        lane, other, third = bench.lanes(3)

        mistaken, right, also_right = lane.call(1.0, **wrong), other.call(2.0), third.call(3.0)

        assert isinstance(mistaken.exception(PATIENCE_S), TypeError)
        assert [drawn(right), drawn(also_right)] == [[4.0], [6.0]]
        assert bench.network.rows_per_forward == [2]


class ToldTempo(Tempo):
    def __init__(self) -> None:
        super().__init__()
        self.forwards: list[int] = []

    def forward_done(self, taken_s: float, at_once: int = 1) -> None:
        self.forwards.append(at_once)
        super().forward_done(taken_s, at_once)


def test_the_tempo_is_told_of_each_forward() -> None:
    tempo = ToldTempo()
    with engine_bench(tempo=tempo) as bench:
        assert drawn(bench.lane().calls([(1.0,), (2.0,)])) == [4.0]

    assert tempo.forwards == [1, 1]


def test_a_call_that_is_given_up_while_it_waits_runs_for_nobody() -> None:
    def gone() -> None:
        raise KeyError("its job was canceled")

    with engine_bench(tempo=Tempo()) as bench:
        bench.network.may_go_on.clear()
        first = bench.lane().call(1.0)
        assert bench.network.has_begun.wait(PATIENCE_S)

        with pytest.raises(KeyError):
            bench.lane(check=gone).call(2.0, 3.0).result(PATIENCE_S)
        bench.network.may_go_on.set()
        assert drawn(first) == [2.0]
        assert drawn(bench.lane().call(4.0)) == [8.0]

    assert bench.network.rows_per_forward == [1, 1]


class ShortTempo(Tempo):
    def worth_waiting_s(self, *, is_urgent: bool = False) -> float:
        return 0.5


def test_a_wait_of_less_than_a_second_is_one_too() -> None:
    """The bench's clock stands still: that time is never over."""
    with engine_bench(tempo=ShortTempo()) as bench:
        quick, slow = bench.lanes(2)
        first = quick.call(1.0)
        assert not bench.network.has_begun.wait(0.1)

        second = slow.call(2.0)

        assert [drawn(first), drawn(second)] == [[2.0], [4.0]]
        assert bench.network.rows_per_forward == [2]
