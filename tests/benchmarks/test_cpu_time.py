"""CPU time of process groups, by the kernel's count."""

import os
import subprocess
import sys
import time

import pytest

from benchmarks.cpu_time import PROC, of_group

BUSY = "import os, time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"

pytestmark = pytest.mark.skipif(not PROC.exists(), reason="CPU time is read from /proc")


def test_a_group_has_what_its_processes_computed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()

        assert 0.25 <= of_group(process.pid) < 5

        process.communicate(b"\n")


def test_another_group_has_none_of_it() -> None:
    before = of_group(os.getpgrp())
    while time.process_time() < 0.2:
        pass

    assert of_group(2**22 + 1) == 0
    assert of_group(os.getpgrp()) >= before > 0
