"""What the examples say must run, and give what they promise."""

import subprocess
import sys
from pathlib import Path


def test_the_example_of_the_engine_by_itself_runs(repository: Path) -> None:
    example = repository / "examples" / "shared_pipeline.py"

    ran = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=300, check=False)

    assert ran.returncode == 0, ran.stderr
    said = [line for line in ran.stdout.splitlines() if "[info" not in line]
    assert said == [
        "8 images of (128, 128) from 8 threads",
        "2 images from two tasks",
        "12 images from a list",
        "steps [1, 2, 3, 4, 5], and one canceled",
    ]
