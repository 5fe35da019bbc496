"""All of the service with the bundled model, as `darkroom up` starts it, for the tests of a process to share."""

import os
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.servers import ServerProcess, free_port

READY_WITHIN_S = 120


@pytest.fixture(scope="session")
def stack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("up"), free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DARKROOM_DATA_DIR": str(folder / "data"), "DARKROOM_LANES": "8"}
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    command = [sys.executable, "-m", "darkroom", "up", "--port", str(port)]
    process = ServerProcess(command, folder, lambda: _takes_jobs(url), ours | settings)
    process.start(READY_WITHIN_S)
    yield url
    process.stop()


def _takes_jobs(url: str) -> bool:
    """Both workers are there, the model loaded and the network that upscales found."""
    try:
        told = httpx.get(f"{url}/models", trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return False
    return any(model["lanes"] for model in told["models"]) and bool(told["upscales"])
