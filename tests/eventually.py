"""Waits for what another process or thread will bring about. Only for tests with real processes."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def eventually(ask: Callable[[], Answer], deadline_s: float = 20, *, what: str = "") -> Answer:
    """The first answer that is true. Fails the test when there is none in time."""
    deadline = time.monotonic() + deadline_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {deadline_s:g} s: {what or ask}"
        time.sleep(0.05)
    return answer
