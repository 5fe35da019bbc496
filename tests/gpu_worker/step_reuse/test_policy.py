"""When steps are forecast: the policy alone, as it would be asked in a run of so many steps."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_worker.step_reuse.policy import BAND, FIRST, LEVELS, Level, ReusePolicy

MEDIUM = LEVELS["medium"]


def weights(level: Level, rates: Sequence[float] | float, steps: int = 20) -> list[float]:
    """Of each step of a run whose forecasts turn out to be off by these rates."""
    policy, drawn = ReusePolicy(level, steps), list[float]()
    for step in range(steps):
        drawn.append(policy.weight(step))
        if drawn[-1] > 0:
            policy.told(rates if isinstance(rates, float) else rates[step], drawn[-1])
            policy.computed(drawn[-1])
    return drawn


def longest_row(drawn: Sequence[float]) -> int:
    rows, row = [0], 0
    for weight in drawn:
        row = row + 1 if weight == 0 else 0
        rows.append(row)
    return max(rows)


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS.keys())
@pytest.mark.parametrize("steps", [1, 2, 4, 5, 20, 50])
def test_the_first_steps_and_the_last_one_are_computed(level: Level, steps: int) -> None:
    drawn = weights(level, 0.0, steps)

    assert set(drawn[:FIRST]) == {1.0}
    assert drawn[-1] == 1.0


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS.keys())
def test_however_still_a_run_is_no_more_steps_in_a_row_are_forecast_than_its_level_allows(level: Level) -> None:
    drawn = weights(level, 0.0)

    assert longest_row(drawn) == level.most_in_a_row
    assert {0.0, 1.0} == set(drawn), "a row that has come to its end is no edge to be smoothed"


def test_a_run_whose_steps_change_much_is_computed_as_ever() -> None:
    assert weights(LEVELS["high"], 2 * LEVELS["high"].tolerance) == [1.0] * 20


@pytest.mark.parametrize("rate", [math.nan, math.inf])
def test_a_run_gone_astray_is_computed_as_ever(rate: float) -> None:
    assert weights(LEVELS["high"], rate) == [1.0] * 20


def test_a_higher_level_computes_less() -> None:
    calm, lively = (
        [sum(weight > 0 for weight in weights(level, rate, 40)) for level in LEVELS.values()] for rate in (0.005, 0.03)
    )

    assert calm == sorted(calm, reverse=True)
    assert lively == sorted(lively, reverse=True)
    assert len({*zip(calm, lively, strict=True)}) == len(LEVELS)


def test_forecasts_stop_when_a_run_begins_to_change() -> None:
    drawn = weights(MEDIUM, [0.001] * 10 + [1.0] * 10)

    assert 0.0 in drawn[:10]
    assert 0.0 not in drawn[13:]


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(
    rates=st.lists(st.floats(0, 0.1), min_size=30, max_size=30),
    noise=st.lists(st.floats(-1, 1), min_size=30, max_size=30),
    level=st.sampled_from(list(LEVELS.values())),
)
def test_rounding_moves_no_weight_by_more_than_it_is_worth(
    rates: list[float], noise: list[float], level: Level
) -> None:
    rounded = [rate * (1 + 1e-6 * each) for rate, each in zip(rates, noise, strict=True)]

    one, other = weights_of_given(level, rates), weights_of_given(level, rounded)

    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) < 1e-3


def weights_of_given(level: Level, rates: Sequence[float]) -> list[float]:
    """Learns at every step, by its weight: what a step of weight 0 would have shown must not matter."""
    policy, drawn = ReusePolicy(level, len(rates)), list[float]()
    for step, rate in enumerate(rates):
        drawn.append(policy.weight(step))
        policy.told(rate, drawn[-1])
        policy.computed(drawn[-1])
    return drawn


def test_the_smoothed_part_is_too_small_to_cut_a_row_short() -> None:
    assert all(1 / (level.most_in_a_row + 1) > BAND for level in LEVELS.values())
