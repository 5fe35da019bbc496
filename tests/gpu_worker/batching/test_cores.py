"""How many cores a forward gets, from what it takes with each number."""

import pytest

from gpu_worker.batching.cores import fewest_threads


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [
        pytest.param({2: 0.039, 1: 0.019}, 1, id="two threads only wait for each other"),
        pytest.param({8: 1.0, 4: 1.9}, 8, id="a large network wants them all"),
        pytest.param({8: 1.0, 4: 1.0, 2: 1.05, 1: 2.0}, 2, id="hardly slower is no slower"),
        pytest.param({8: 1.0, 4: 0.5, 2: 0.7}, 4, id="best in the middle"),
        pytest.param({8: 1.0, 4: 0.94, 2: 1.02, 1: 1.06}, 2, id="measured against the best, not against all cores"),
        pytest.param({6: 1.0, 3: 0.5, 1: 0.4}, 1, id="cores that no halving divides"),
        pytest.param({1: 1.0}, 1, id="a single core"),
    ],
)
def test_a_forward_gets_as_few_cores_as_make_a_lone_job_no_slower(seconds: dict[int, float], threads: int) -> None:
    assert fewest_threads(seconds.__getitem__, max(seconds)) == threads
