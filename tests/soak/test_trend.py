"""A soak calls flat what only swings, and finds what grows slowly."""

from random import Random

import pytest

from tests.soak.trend import trend

TIMES = [10.0 * number for number in range(120)]


def test_what_swings_around_a_level_is_flat() -> None:
    random = Random(1)

    assert trend("api rss_mb", TIMES, [200 + random.uniform(-20, 20) for _ in TIMES]).is_flat


def test_what_only_shrinks_is_flat() -> None:
    assert trend("waiting", TIMES, [500 - moment / 10 for moment in TIMES]).is_flat


def test_a_slow_growth_is_found_under_larger_swings() -> None:
    random = Random(1)
    values = [200 + 25 * moment / TIMES[-1] + random.uniform(-20, 20) for moment in TIMES]

    found = trend("api rss_mb", TIMES, values)

    assert not found.is_flat
    assert found.growth == pytest.approx(25, abs=10)


def test_one_file_a_minute_that_stays_open_is_found() -> None:
    assert not trend("api files", TIMES, [30 + moment // 60 for moment in TIMES]).is_flat
