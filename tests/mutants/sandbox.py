"""A copy of the tree, in which tests run over a file with a fault in it. The checkout is never changed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

from tests.mutants.fault import Fault
from tests.mutants.targets import ROOT, Tests

MARKS = "not redis and not rabbitmq and not s3 and not browser and not cuda and not chaos"
# Time to stop the servers that a test has started.
GRACE_S = 10.0


class Sandbox:
    """One run of tests at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tree = folder / "tree"
        self._said = folder / "said"
        self._fault: Fault | None = None
        self._whole = ""
        self._child = 0
        self._is_told = False
        self._give_up_s = 0.0
        self.began_s = 0.0
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True, text=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (self._tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self._tree / name)

    def start(self, fault: Fault | None, tests: Tests, limit_s: float) -> None:
        """Without a fault: whether the tests pass as things are."""
        self._fault = fault
        if fault:
            # Not the checkout's: somebody may be at work there.
            self._whole = (self._tree / fault.path).read_text("utf-8")
            self._rewrite(fault.path, fault.put_into(self._whole))
        self.began_s = time.monotonic()
        self._give_up_s = self.began_s + limit_s
        self._is_told = False
        self._child = os.fork()
        if not self._child:
            self._run(tests)

    def ended(self) -> int | None:
        """pytest's exit status, negative where time was up; None as long as it runs."""
        late_s = time.monotonic() - self._give_up_s
        if late_s > 0 and not self._is_told:
            # Once: a second one would interrupt what stops the servers.
            self._is_told = True
            os.kill(self._child, signal.SIGINT)
        if late_s > GRACE_S:
            os.killpg(self._child, signal.SIGKILL)
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if not pid:
            return None
        self._child = 0
        if self._fault:
            self._rewrite(self._fault.path, self._whole)
        return -1 if late_s > 0 else os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """Ends what runs, with the servers that it started."""
        self._give_up_s = min(self._give_up_s, time.monotonic())
        while self._child and self.ended() is None:
            time.sleep(0.05)

    def failed_test(self) -> str:
        said = self._said.read_text("utf-8", errors="replace")
        failed = re.search(r"^(?:FAILED|ERROR) (tests/\S+)", said, re.MULTILINE)
        return failed[1] if failed else said[-2000:]

    def _rewrite(self, path: str, text: str) -> None:
        file = self._tree / path
        file.write_text(text, "utf-8")
        # Python tells by size and whole seconds whether it has compiled a file already.
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
            compiled.unlink()

    def _run(self, tests: Tests) -> None:
        """In a child process, which brings along what was imported, and nothing of ours."""
        status = 70
        try:
            os.setsid()
            # A shell that starts something in the background has it ignore this.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.chdir(self._tree)
            said = os.open(self._said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(said, 1)
            os.dup2(said, 2)
            sys.path[:] = [str(self._tree), *(path for path in sys.path if path not in {"", str(ROOT)})]
            os.environ["PYTHONPATH"] = str(self._tree)
            # Those that are installed take longer to come up than most of these tests.
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            ours = {path.parent.name for path in self._tree.glob("*/__init__.py")}
            for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
                del sys.modules[name]
            options = ["-x", "-q", "-m", MARKS, "-p", "no:cacheprovider"]
            options += ["-p", "_hypothesis_pytestplugin", "--hypothesis-seed=0"]
            # Of plugins that an import brought along: they have no assertions to rewrite.
            options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
            status = pytest.main([*options, f"--basetemp={self._folder / 'tmp'}", *tests])
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
