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
            assert self._read(), f"the line went dead after {self._heard!r}"

    def wait_until_dead(self) -> None:
        while self._read():
            pass

    def close(self) -> None:
        os.close(self._descriptor)

    def _read(self) -> str:
        assert select.select([self._descriptor], [], [], DEADLINE_S)[0], "a process is alive that should be dead"
        said = os.read(self._descriptor, 4096).decode()
        self._heard += said
        return said
