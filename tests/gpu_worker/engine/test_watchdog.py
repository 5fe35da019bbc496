"""A hang is one and the same forward for too long."""

import pytest

from gpu_worker.engine.watchdog import LOOKS, Forward, Watchdog
from tests.gpu_worker.conftest import Clock

LIMIT_S = 300.0


class Networks:
    """Busy with whatever a test says."""

    def __init__(self) -> None:
        self.forward: Forward | None = None
        self.hung: list[Forward] = []


@pytest.fixture
def networks() -> Networks:
    return Networks()


@pytest.fixture
def watchdog(networks: Networks, clock: Clock) -> Watchdog:
    return Watchdog(lambda: networks.forward, networks.hung.append, LIMIT_S, clock)


def let_pass(watchdog: Watchdog, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds * LOOKS / LIMIT_S)):
        clock.now_s += LIMIT_S / LOOKS
        watchdog.look()


def test_a_forward_that_does_not_end_is_a_hang(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    networks.forward = Forward(1, frozenset({"job"}))
    watchdog.look()

    let_pass(watchdog, clock, LIMIT_S * 0.9)
    assert networks.hung == []
    let_pass(watchdog, clock, LIMIT_S * 0.1)

    assert networks.hung == [networks.forward]


def test_networks_that_move_are_left_alone(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    for number in range(5):
        networks.forward = Forward(number, frozenset({"job"}))
        let_pass(watchdog, clock, LIMIT_S * 0.9)

    assert networks.hung == []


def test_idle_networks_are_left_alone(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    networks.forward = Forward(1, frozenset({"job"}))
    let_pass(watchdog, clock, LIMIT_S * 0.9)
    networks.forward = None

    let_pass(watchdog, clock, LIMIT_S * 2)

    assert networks.hung == []


def test_a_process_that_was_stopped_for_long_has_not_hung(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    networks.forward = Forward(1, frozenset({"job"}))
    watchdog.look()

    clock.now_s += LIMIT_S * 5
    watchdog.look()

    assert networks.hung == []
