"""Every way in which a user asks for an end."""

import os
import pty
import signal
from queue import SimpleQueue

import pytest

from darkroom.local.processes.signals import hang_up_with, on_stop_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_is_a_request_to_stop_and_the_former_handler_comes_back(number: signal.Signals) -> None:
    asked: list[str] = []
    former = signal.getsignal(number)

    with on_stop_signals(lambda: asked.append("stop")):
        signal.raise_signal(number)

    assert asked == ["stop"]
    assert signal.getsignal(number) is former


def test_a_closed_terminal_is_a_request_to_stop() -> None:
    asked: SimpleQueue[str] = SimpleQueue()
    window, terminal = pty.openpty()

    with on_stop_signals(lambda: asked.put("stop")):
        hang_up_with(terminal)
        os.close(window)

        assert asked.get(timeout=20) == "stop"
    os.close(terminal)
