"""Who waits for a lane, and in which order a list is drawn."""

import pytest

from gpu_worker.engine.lane_line import best_order


@pytest.mark.parametrize(
    ("works", "shapes", "order"),
    [
        pytest.param([1, 3, 2], "aaa", [1, 2, 0], id="the longest first, so that none is left to run alone"),
        pytest.param([2, 9, 2, 1], "abab", [1, 3, 0, 2], id="one shape after the other, that with most work first"),
        pytest.param([1, 1, 1], "aaa", [0, 1, 2], id="as they came, if equal"),
        pytest.param([], "", [], id="none"),
    ],
)
def test_the_order_of_a_list(works: list[float], shapes: str, order: list[int]) -> None:
    assert best_order(works, list(shapes)) == order
