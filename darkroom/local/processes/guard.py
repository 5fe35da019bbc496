"""Sees to it that nothing outlives the supervisor, also when that is killed with SIGKILL.

A small shell waits for the end of a pipe that only the supervisor holds. It is told the process groups to
kill then, and it keeps the lock of the data folder until they are dead. A shell, because `pkill -9 python`
must not take it along; a pipe, because the kernel closes it however the supervisor ends; groups, because
PR_SET_PDEATHSIG would miss grandchildren.
"""

import contextlib
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, cast

SCRIPT = """
trap "" HUP INT TERM
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done
rm -rf -- "$@"
"""


class Guard:
    """`removes`: folders to delete at the end. `holds`: open files that stay open until then."""

    def __init__(self, *, removes: Sequence[Path] = (), holds: Sequence[int] = ()) -> None:
        self._command = ["/bin/sh", "-c", SCRIPT, "darkroom-guard", *map(str, removes)]
        self._holds = tuple(holds)
        self._shell = self._start()

    @property
    def pid(self) -> int:
        return self._shell.pid

    def watch(self, groups: Iterable[int]) -> None:
        """From now on these, and no others, die with us."""
        line = " ".join(map(str, groups)) + "\n"
        try:
            self._say(line)
        except BrokenPipeError:  # somebody killed the guard
            self.close()
            self._shell = self._start()
            self._say(line)

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()
        self._shell.wait()

    @property
    def _pipe(self) -> IO[bytes]:
        return cast("IO[bytes]", self._shell.stdin)

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=self._holds,
            start_new_session=True,
        )

    def _say(self, line: str) -> None:
        self._pipe.write(line.encode())
        self._pipe.flush()
