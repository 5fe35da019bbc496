"""The restart policy, as a table."""

import pytest

from darkroom.local.processes.restart import RestartPolicy, wait_before_restart

POLICY = RestartPolicy(first_wait_s=0.5, crashes=5, window_s=300)


@pytest.mark.parametrize(
    ("crashes_at", "wait_s"),
    [
        ([1000], 0.5),
        ([1000, 1001], 1),
        ([1000, 1001, 1003], 2),
        ([1000, 1001, 1003, 1006], 4),
        ([1000, 1001, 1003, 1006, 1011], None),  # five in quick succession: give up
        ([1000, 1070, 1140, 1210, 1280], None),  # a model that loads for a minute, and then crashes
        ([1000, 1100, 1200, 1300, 1400], 2),  # the first two are out of the window
        ([1000, 1001, 1003, 1006, 2000], 0.5),  # an old quarrel is forgotten
    ],
)
def test_each_recent_crash_doubles_the_wait_and_the_fifth_is_the_last(
    crashes_at: list[float], wait_s: float | None
) -> None:
    assert wait_before_restart(crashes_at, POLICY) == wait_s
