"""Ctrl-C, SIGTERM and a closed terminal as one plain request to stop."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def on_stop_signals(ask_to_stop: Callable[[], None]) -> Iterator[None]:
    """For the main thread; the former handlers are put back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, lambda *_: ask_to_stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def hang_up_with(terminal: int) -> None:
    """From now on we get SIGHUP when this terminal is closed.

    The kernel tells the session's leader alone, which may be make, and make keeps it to itself.
    """
    Thread(target=_wait_for_hang_up, args=(terminal,), daemon=True).start()


def _wait_for_hang_up(terminal: int) -> None:
    poll = select.poll()
    poll.register(terminal, 0)  # a hang-up is told without being asked for
    if any(event & select.POLLHUP for _, event in poll.poll()):
        os.kill(os.getpid(), signal.SIGHUP)
