"""What each process that draws is told, whichever system it belongs to: handed on in one environment variable."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "BENCHMARK_ASSIGNMENT"


@dataclass(frozen=True)
class Assignment:
    """`folder` holds the pipeline. `batch` is the largest one it may be called with.

    `window` is how many requests a server may collect before it groups them into batches. `workers` is how many
    processes draw for a server, each by itself. `emulated` names the curve of a device that is not there.
    """

    folder: str
    device: str
    dtype: str
    side: int
    guidance_scale: float
    batch: int = 1
    window: int = 1
    workers: int = 1
    port: int = 0
    redis_socket: str = ""
    emulated: str = ""

    def to_environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self))}

    @property
    def turn(self) -> Path:
        """The same for all that draw with this model."""
        return Path(self.folder) / "emulated_device.lock"

    @classmethod
    def of_this_process(cls) -> "Assignment":
        return cls(**json.loads(os.environ[VARIABLE]))
