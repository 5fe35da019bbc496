"""Tells without polling when real processes have come to life, and when the last of them is dead.

Each process holds a named pipe open for writing, and so does all that it starts. The end of the file comes
when the kernel has closed the last of them.
"""

import os
import select
from pathlib import Path

DEADLINE_S = 20


class Lifeline:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "lifeline"
        os.mkfifo(self.path)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._heard = ""

    def script(self, then: str) -> tuple[str, ...]:
        """A command that says "alive", runs the shell code, and is on the line as long as it lives."""
        return ("/bin/sh", "-c", f'exec 9>"{self.path}"; echo alive >&9; {then}')

    def wait_for(self, alive: int) -> None:
        while self._heard.count("alive") < alive:
            self._await_news()
            assert self._read(), f"the line went dead after {self._heard!r}"

    def wait_until_dead(self) -> None:
        """For processes that were started, and may have been stopped before they were on the line."""
        while self._is_held():
            self._await_news()

    def close(self) -> None:
        os.close(self._descriptor)

    def _is_held(self) -> bool:
        try:
            return self._read() != ""
        except BlockingIOError:  # somebody could still write
            return True

    def _await_news(self) -> None:
        assert select.select([self._descriptor], [], [], DEADLINE_S)[0], "a process is alive that should be dead"

    def _read(self) -> str:
        said = os.read(self._descriptor, 4096).decode()
        self._heard += said
        return said
