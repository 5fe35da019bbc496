import threading
from collections.abc import Callable, Iterator

import pytest

from cpu_worker.rounds import Rounds
from darkroom.errors import RedisUnavailable
from tests.eventually import eventually

MakeRounds = Callable[[Callable[[], object]], Rounds]


@pytest.fixture
def rounds_of() -> Iterator[MakeRounds]:
    started: list[Rounds] = []

    def start(make_round: Callable[[], object]) -> Rounds:
        started.append(Rounds("test", make_round, 0.01))
        started[-1].start()
        return started[-1]

    yield start
    for rounds in started:
        rounds.stop()


@pytest.mark.parametrize("error", [RedisUnavailable("away"), KeyError("ours")])
def test_a_round_that_fails_is_followed_by_the_next(error: Exception, rounds_of: MakeRounds) -> None:
    made: list[int] = []

    def fails_once() -> None:
        made.append(1)
        if len(made) == 1:
            raise error

    rounds_of(fails_once)

    eventually(lambda: len(made) > 1)


def test_one_that_hangs_holds_up_neither_others_nor_its_worker_s_end(rounds_of: MakeRounds) -> None:
    may_end, made = threading.Event(), threading.Event()
    hanging = rounds_of(may_end.wait)

    rounds_of(made.set)

    assert made.wait(10)
    hanging.stop()
    may_end.set()
