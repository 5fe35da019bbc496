"""When a webhook is tried again: Standard Webhooks' delays, for a day."""

import pytest

from darkroom.webhooks.delivery import DELAYS_S, JITTER, LONGEST_S, delay_s


def test_tries_go_on_for_a_day_and_then_end() -> None:
    delays = [delay_s(failed, 0, None) for failed in range(1, len(DELAYS_S) + 2)]

    assert delays[:3] == [5, 300, 1800]
    assert delays[-1] is None
    assert 86_300 < sum(each or 0 for each in delays) < 86_600


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_each_is_a_little_later_than_planned(chance: float) -> None:
    assert delay_s(2, chance, None) == 300 * (1 + JITTER * chance)


def test_a_receiver_may_ask_for_more_time_and_not_for_less_or_for_ever() -> None:
    assert delay_s(1, 0, 60) == 60
    assert delay_s(2, 0, 60) == 300
    assert delay_s(1, 0, 10**9) == LONGEST_S
