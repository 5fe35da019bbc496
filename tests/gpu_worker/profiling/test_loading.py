"""How many lanes a model gets."""

from typing import Any

import pytest
import structlog

from gpu_worker.profiling.loading import lanes_worth_having
from tests.models.conftest import TinyCard


@pytest.mark.parametrize(
    ("jobs_at_once", "lanes", "said"),
    [(1, 4, ["lanes.clamped"]), (2, 8, ["lanes.clamped"]), (4, 16, []), (64, 16, [])],
)
def test_a_model_has_four_lanes_at_most_for_each_place_in_its_forwards(
    tiny_card: TinyCard, jobs_at_once: int, lanes: int, said: list[str]
) -> None:
    asked_for: list[Any] = list(range(16))

    with structlog.testing.capture_logs() as logs:
        kept = lanes_worth_having(asked_for, jobs_at_once, tiny_card("sd"))

    assert (len(kept), [log["event"] for log in logs]) == (lanes, said)
