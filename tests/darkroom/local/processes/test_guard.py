"""Whatever kills the supervisor, nothing is left running."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from darkroom.local.processes.guard import Guard
from tests.darkroom.local.lifeline import Lifeline

# A supervisor with two parts; one of them has children of its own, and shrugs off SIGTERM.
SUPERVISOR = """
import os, sys
from pathlib import Path
from darkroom.local.data_lock import locked
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.part import Part
from darkroom.local.processes.supervisor import Supervisor

data, folder, fifo = sys.argv[1:]
script = f'exec 9>"{fifo}"; trap "" TERM; sleep 600 & echo alive >&9; wait'
with locked(Path(data)) as lock:
    with Supervisor(Guard(removes=[Path(folder)], holds=[lock]), print, grace_s=1) as supervisor:
        supervisor.start(Part("redis", ("/bin/sh", "-c", script), os.environ, is_foundation=True))
        supervisor.start(Part("gpu", ("/bin/sh", "-c", script), os.environ))
        supervisor.run()
"""


def test_killing_the_supervisor_kills_all_it_started_and_frees_the_data_folder(
    lifeline: Lifeline, tmp_path: Path
) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    command = [sys.executable, "-c", SUPERVISOR, str(tmp_path), str(folder), str(lifeline.path)]
    with subprocess.Popen(command) as supervisor:
        lifeline.wait_for(alive=2)

        supervisor.send_signal(signal.SIGKILL)

    lifeline.wait_until_dead()
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits for the guard, which holds it to its end
    assert not folder.exists()


def test_a_guard_that_was_killed_is_replaced_at_the_next_change(lifeline: Lifeline) -> None:
    guard = Guard()
    with subprocess.Popen(lifeline.script("sleep 600"), start_new_session=True) as process:
        lifeline.wait_for(alive=1)
        former = guard.pid
        os.kill(former, signal.SIGKILL)
        os.waitid(os.P_PID, former, os.WEXITED | os.WNOWAIT)

        guard.watch([process.pid])

        assert guard.pid != former
        guard.close()
        lifeline.wait_until_dead()


def test_a_guard_that_watches_nobody_kills_nobody(lifeline: Lifeline) -> None:
    guard = Guard()
    with subprocess.Popen(lifeline.script("read -r line"), stdin=subprocess.PIPE, start_new_session=True) as process:
        lifeline.wait_for(alive=1)
        guard.watch([process.pid])
        guard.watch([])

        guard.close()

        assert process.poll() is None
        process.communicate(b"go\n")
        assert process.returncode == 0
