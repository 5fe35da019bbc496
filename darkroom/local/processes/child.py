"""A running part: its process group, and the last lines it said."""

import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable
from threading import Thread
from typing import IO, cast

from darkroom.local.processes.part import Part

# The command waits at a gate until the guard knows its group: were we killed between the two,
# the gate would read end-of-file, and the command would never start.
GATE = 'read -r go && exec "$@" </dev/null'
TAIL_LINES = 40
LONGEST_LINE_BYTES = 8192


class Child:
    """Starts closed; `release` lets it run. `exited` is called once, when no process of the group is left."""

    def __init__(self, part: Part, hear: Callable[[str, str], None], exited: "Callable[[Child], None]") -> None:
        self.part = part
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.has_exited = False
        self._hear = hear
        self._exited = exited
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", GATE, part.name, *part.command],
            env=dict(part.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = Thread(target=self._read, name=f"{part.name} output", daemon=True)
        self._waiter = Thread(target=self._wait, name=f"{part.name} exit", daemon=True)
        self._reader.start()
        self._waiter.start()

    @property
    def group(self) -> int:
        return self._process.pid

    def release(self) -> None:
        gate = cast("IO[bytes]", self._process.stdin)
        with contextlib.suppress(BrokenPipeError):  # dead already; its exit will be heard of
            gate.write(b"go\n")
            gate.close()

    def terminate(self) -> None:
        """Asks the leader alone: Celery's own children are its business as long as it lives."""
        if not self.has_exited:
            self._process.terminate()

    def kill(self) -> None:
        if not self.has_exited:
            self._kill_group()

    def ending(self) -> str:
        code = self._process.returncode
        if code is None:
            return "is running"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"

    def last_lines(self, count: int = TAIL_LINES) -> str:
        lines = list(self.tail)[-count:]
        return "\n".join(f"  {self.part.name} | {line}" for line in lines) or f"  {self.part.name} | (said nothing)"

    def _read(self) -> None:
        output = cast("IO[bytes]", self._process.stdout)
        with output:
            while line := output.readline(LONGEST_LINE_BYTES):
                text = line.decode(errors="replace").rstrip()
                if text:
                    self.tail.append(text)
                    self._hear(self.part.name, text)

    def _wait(self) -> None:
        self._process.wait()
        self._kill_group()  # what the leader left behind, when it was killed
        self._reader.join(timeout=1)
        cast("IO[bytes]", self._process.stdin).close()
        self.has_exited = True
        self._exited(self)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of zombies
            os.killpg(self.group, signal.SIGKILL)
