"""`python -m api` as an operator starts it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from darkroom.settings import Settings
from tests.eventually import eventually
from tests.servers import free_port

HEAVY = ("torch", "diffusers", "transformers", "numpy", "PIL", "boto3", "botocore", "flower")


def environment(settings: Settings, **more: str) -> Mapping[str, str]:
    ours = {
        "DARKROOM_REDIS_URL": settings.redis_url,
        "DARKROOM_DATA_DIR": str(settings.data_dir),
        "DARKROOM_LOG_FORMAT": "json",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")} | ours | more


def test_it_imports_nothing_heavy() -> None:
    program = (
        "import sys, api.__main__; from api.application import create_app; from darkroom.settings import Settings; "
        f"print(*(name for name in {HEAVY} if name in sys.modules))"
    )

    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)

    assert said.stdout.split() == []


def test_it_serves_and_stops_when_told(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"], env=environment(settings, DARKROOM_PORT=str(port)), stdout=log, stderr=log
        )
        try:
            ready = eventually(lambda: _get(f"http://127.0.0.1:{port}/readyz"), 30, what="/readyz")
            process.terminate()
            code = process.wait(timeout=20)
        finally:
            process.kill()

    assert ready
    assert ready.json()["status"] == "ready"
    assert code in {0, -15}
    assert "No API key is configured" in (tmp_path / "log").read_text()


def _get(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, trust_env=False)
    except httpx.ConnectError:
        return None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"DARKROOM_HOST": "0.0.0.0"}, "DARKROOM_API_KEYS is empty"),
        (
            {"DARKROOM_HOST": "0.0.0.0", "DARKROOM_API_KEYS": f"alice:{'a' * 24}"},
            "Set DARKROOM_PUBLIC_URL to what clients use",
        ),
        ({"DARKROOM_HOST": "::", "DARKROOM_API_KEYS": f"alice:{'a' * 24}"}, "Set DARKROOM_PUBLIC_URL"),
        ({"DARKROOM_PUBLIC_URL": "images.example.com"}, "DARKROOM_PUBLIC_URL"),
        ({"DARKROOM_API_KEYS": "alice:short"}, "comma-separated list of name:key"),
        ({"DARKROOM_CATALOGUE": "nowhere.toml"}, "nowhere.toml"),
        ({"DARKROOM_PORT": "0"}, "DARKROOM_PORT"),
    ],
)
def test_what_cannot_work_is_refused_with_advice(more: dict[str, str], says: str, settings: Settings) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "api"],
        env=environment(settings, **more),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert said.returncode == 1
    assert says in said.stdout + said.stderr
    assert "Traceback" not in said.stdout + said.stderr
