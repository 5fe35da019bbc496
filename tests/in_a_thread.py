"""Work beside a test, which may wait for something that the test then does."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")

# Far longer than waking somebody takes.
SOON_S = 20


def in_a_thread(work: Callable[[], Answer]) -> "Future[Answer]":
    """One that is left behind where it waits for good."""
    answer: Future[Answer] = Future()
    threading.Thread(target=lambda: answer.set_result(work()), daemon=True).start()
    return answer
