"""Runs a command, and fails if a process of its outlives it. What is left over is named, and ended."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 3.0


def adopt_orphans() -> None:
    """From now on a process whose parent ends becomes our child, instead of init's."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def children() -> list[int]:
    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if parent_of(process) == os.getpid()]


def parent_of(process: Path) -> int | None:
    """The fourth field; the second is a name in parentheses, and may hold anything."""
    try:
        return int((process / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return None


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
    except OSError:
        return "(ended meanwhile)"


def left_over() -> list[int]:
    """What still runs after a moment's grace: some programs end their own helpers a little late."""
    deadline = time.monotonic() + GRACE_S
    reap()
    while children() and time.monotonic() < deadline:
        time.sleep(0.1)
        reap()
    return children()


def end_all() -> None:
    """Ending a process hands us its children, so this goes on until there are none."""
    deadline = time.monotonic() + GRACE_S
    while (pids := children()) and time.monotonic() < deadline:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
        reap()


def main(command: list[str]) -> int:
    adopt_orphans()
    status = subprocess.call(command)
    left = left_over()
    for pid in left:
        print(f"Left running by `{' '.join(command)}`: {pid} {name_of(pid)}", file=sys.stderr)
    end_all()
    return status or int(bool(left))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
