"""The `openai` package for Node, unchanged, says the same as the one for Python."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from tests.api.openai.painter import Painter
from tests.api.serving import Serving
from tests.eventually import eventually
from tests.services import missing

FOLDER = Path(__file__).parents[2] / "openai_node"


@pytest.fixture(scope="session")
def node() -> str:
    """With the package beside the script. It is fetched once, where npm can."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        missing("No Node: apt-get install nodejs npm.")
    if not (FOLDER / "node_modules/openai").is_dir():
        install = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock"]
        done = subprocess.run(install, cwd=FOLDER, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode:
            missing(f"npm could not fetch the openai package: {done.stderr[-300:]}")
    return node


@pytest.fixture
def seen(node: str, api: Serving, painter: Painter) -> dict[str, Any]:
    command = [node, "client.mjs", f"{api.url}/v1"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_client_for_node_gets_images_streams_models_and_errors(seen: dict[str, Any], store: JobStore) -> None:
    assert seen["made"]["size"] == "64x96"
    assert seen["made"]["seeds"] == [7, 8]
    assert seen["job_header"] == seen["made"]["job_id"]
    assert seen["request_id"].startswith("req_")
    assert [event["type"] for event in seen["streamed"]] == ["image_generation.completed"]
    assert seen["streamed"][0]["bytes"] > 100
    assert "minilab" in seen["models"]
    assert seen["model"] == "minilab"
    assert seen["unknown_model"] == {"name": "NotFoundError", "status": 404, "code": "unknown_model", "param": "model"}
    assert seen["bad_size"]["name"] == "UnprocessableEntityError"
    assert seen["conflict"]["code"] == "idempotency_conflict"
    assert seen["timed_out"]["name"] == "APIConnectionTimeoutError"
    left = [job for job in store.newest("anonymous", limit=20) if job.request.model == "sdxl"]
    eventually(lambda: [store.get(job.id).state for job in left] == [JobState.CANCELED])
