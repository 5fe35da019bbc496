"""Real worker processes, started as a Celery user starts them."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# One worker computes on one core; two threads of each would only disturb the other workers.
FRUGAL = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1", "DARKROOM_DEVICE": "cpu"}
# Celery warns whoever runs it as root, as CI does.
QUIET = {"PYTHONWARNINGS": "ignore"}


def celery(app: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", app, *arguments]


def arq(settings: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "arq", settings, *arguments]


class WorkerProcess:
    """`name` is what Celery calls it. Its output goes to a file, so that no full pipe ever stops it."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            # One of the same name may have lived before: what it said is not what this one says.
            self._begins = log.tell()
            self._process = subprocess.Popen(
                command,
                env={**_without_settings(os.environ), **FRUGAL, **QUIET, **env},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        return self._log.read_bytes()[self._begins :].decode(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def exit_code(self, deadline_s: float = 60) -> int:
        return self._process.wait(timeout=deadline_s)

    def end(self) -> None:
        """For the end of a test: whatever state it is in."""
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What a developer has set for a stack of their own is not for these workers."""
    return {name: value for name, value in environment.items() if not name.startswith("DARKROOM_")}
