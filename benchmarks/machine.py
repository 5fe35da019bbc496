"""What a benchmark ran on: without it, a figure says nothing."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any


def this_machine(packages: Sequence[str], load_before: float) -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load_before": load_before,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
