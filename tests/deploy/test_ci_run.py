"""The script that CI runs, and the check in it that nothing is left running."""

import subprocess
import sys
from pathlib import Path


def _leaves_nothing(repository: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, repository / ".ci" / "leaves_nothing.py", *command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_that_cleans_up_keeps_its_exit_status(repository: Path) -> None:
    assert _leaves_nothing(repository, "sh", "-c", "exit 3").returncode == 3
    assert _leaves_nothing(repository, "true").returncode == 0


def test_a_process_that_outlives_its_command_is_named_and_ended(repository: Path) -> None:
    left = _leaves_nothing(repository, "sh", "-c", "setsid sleep 61 > /dev/null 2>&1 & echo $!")

    pid = left.stdout.strip()
    assert left.returncode == 1
    assert f"{pid} sleep 61" in left.stderr
    assert not Path(f"/proc/{pid}").exists()


def test_ci_runs_the_commands_of_the_makefile(repository: Path) -> None:
    targets = (repository / "Makefile").read_text()

    script = (repository / ".ci" / "run").read_text()

    assert "for target in check test test-services demo arq; do" in script
    assert "make gpu REHEARSE=1" in script
    assert all(f"\n{target}:" in targets for target in ("check", "test", "test-services", "demo", "arq", "gpu"))
