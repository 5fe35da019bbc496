"""One bad apple: a failure hits the call that caused it, and no other."""

from typing import Any

import pytest
import structlog
import torch

from tests.gpu_worker.engine.engine_bench import engine_bench
from tests.gpu_worker.engine.fake_lanes import drawn
from tests.gpu_worker.engine.fake_network import GUILTY, PATIENCE_S


class Unhashable:
    """An argument that cannot even be looked at."""

    def __hash__(self) -> int:
        raise ValueError("not today")


def test_a_failing_call_fails_alone_and_its_neighbours_succeed() -> None:
    with engine_bench() as bench:
        one, guilty, three = bench.lanes(3)

        futures = [one.call(1.0), guilty.call(GUILTY), three.call(3.0)]

        assert isinstance(futures[1].exception(PATIENCE_S), ValueError)
        assert [drawn(futures[0]), drawn(futures[2])] == [[2.0], [6.0]]
        assert bench.network.rows_per_forward == [3, 1, 1, 1]


def test_a_batch_that_does_not_fit_into_memory_is_split_and_its_cap_lowered() -> None:
    with engine_bench() as bench:
        bench.network.most_rows = 2

        futures = [lane.calls([(1.0,), (2.0,)]) for lane in bench.lanes(4)]

        assert [drawn(future) for future in futures] == [[4.0]] * 4
        assert bench.network.rows_per_forward == [4, 2, 2, 2, 2]


def test_what_the_failed_forward_held_is_let_go_before_the_next_try() -> None:
    with engine_bench() as bench:
        bench.network.most_rows = 1

        futures = [lane.call(1.0) for lane in bench.lanes(2)]

        assert [drawn(future) for future in futures] == [[2.0], [2.0]]
        assert bench.network.memory_was_freed


def test_a_single_call_that_does_not_fit_fails_alone() -> None:
    with engine_bench() as bench:
        bench.network.most_rows = 2
        large, small = bench.lanes(2)

        futures = [large.call(1.0, 2.0, 3.0), small.call(4.0)]

        assert isinstance(futures[0].exception(PATIENCE_S), torch.OutOfMemoryError)
        assert drawn(futures[1]) == [8.0]


@pytest.mark.parametrize("output", [(object(),), (torch.zeros(7),), torch.tensor(1.0)])
def test_an_output_that_cannot_be_told_apart_ends_batching_and_says_so_once(output: Any) -> None:
    with engine_bench() as bench, structlog.testing.capture_logs() as logs:
        bench.network.output = output

        futures = [lane.calls([(1.0,), (2.0,), (3.0,)]) for lane in bench.lanes(2)]

        assert all(future.result(PATIENCE_S) is output for future in futures)
        assert bench.network.rows_per_forward == [2] + [1] * 6
    assert [entry["event"] for entry in logs] == ["network.not_batchable"]


def test_a_network_that_fails_in_batches_only_is_left_alone_after_three_times() -> None:
    with engine_bench() as bench, structlog.testing.capture_logs() as logs:
        bench.network.fails_in_batches = True

        futures = [lane.calls([(float(number),) for number in range(5)]) for lane in bench.lanes(2)]

        assert [drawn(future) for future in futures] == [[8.0], [8.0]]
        assert bench.network.rows_per_forward == [2, 1, 1] * 3 + [1] * 4
    assert [entry["event"] for entry in logs].count("network.not_batchable") == 1


def test_a_call_that_cannot_be_looked_into_runs_alone_while_others_share() -> None:
    with engine_bench() as bench, structlog.testing.capture_logs() as logs:
        bench.network.output = None
        odd, one, other = bench.lanes(3)

        futures = [odd.call(1.0, scale=Unhashable()), one.call(2.0), other.call(3.0)]

        assert isinstance(futures[0].exception(PATIENCE_S), TypeError)  # no tensor can be multiplied by it
        assert [drawn(futures[1]), drawn(futures[2])] == [[4.0], [6.0]]
        assert sorted(bench.network.rows_per_forward) == [1, 2]
    assert [entry["reason"] for entry in logs] == ["its arguments raise ValueError"]
