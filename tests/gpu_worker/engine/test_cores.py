"""How cores are divided, from what a lone job's forward takes with each number of threads."""

import pytest

from gpu_worker.engine.cores import Division, divide


@pytest.mark.parametrize(
    ("seconds", "division"),
    [
        pytest.param({2: 0.039, 1: 0.019}, Division(1, 2), id="two threads only wait for each other"),
        pytest.param({8: 1.0, 4: 1.9}, Division(8, 1), id="a large network wants them all"),
        pytest.param({8: 1.0, 4: 1.0, 2: 1.05, 1: 2.0}, Division(2, 4), id="hardly slower is no slower"),
        pytest.param({8: 1.0, 4: 0.5, 2: 0.7}, Division(4, 2), id="best in the middle"),
        pytest.param({8: 1.0, 4: 0.94, 2: 1.02, 1: 1.06}, Division(2, 4), id="against the best, not against all cores"),
        pytest.param({6: 1.0, 3: 0.5, 1: 0.4}, Division(1, 4), id="cores that no halving divides"),
        pytest.param({8: 1.0, 4: 0.9, 2: 0.9, 1: 0.85}, Division(2, 4), id="no more forwards than Python can start"),
        pytest.param(
            {16: 1.0, 8: 0.8, 4: 0.6, 2: 0.4, 1: 0.3}, Division(1, 4), id="idle cores rather than a slower job"
        ),
        pytest.param({1: 1.0}, Division(1, 1), id="a single core"),
    ],
)
def test_a_lone_job_gets_no_slower_and_others_run_beside_it(seconds: dict[int, float], division: Division) -> None:
    assert divide(seconds.__getitem__, max(seconds)) == division
