"""The official clients, and the pages' own commands, against all of the service with the bundled model."""

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from PIL import Image

from tests.api.openai.test_node_client import FOLDER, node
from tests.eventually import eventually

__all__ = ["node"]

SHELL = re.compile(r"^```sh\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"(http://)?(localhost|127\.0\.0\.1):8000")
PROMPT = "a red circle on a white background"


def pixels(b64_json: str | None) -> Any:
    return np.asarray(Image.open(BytesIO(base64.b64decode(b64_json or ""))).convert("RGB")).astype(int)


def is_red_in_the_middle(image: Any) -> bool:
    height, width, _ = image.shape
    red, green, blue = image[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4].mean(axis=(0, 1))
    return bool(red > 180 and max(green, blue) < 90)


def test_the_python_client_generates_streams_and_edits(stack_url: str) -> None:
    with openai.OpenAI(base_url=f"{stack_url}/v1", api_key="any") as ai:
        made = ai.images.generate(prompt=PROMPT, size="128x128", extra_body={"seed": 1, "steps": 20})
        [image] = made.data or []
        kinds, last = [], None
        for last in ai.images.generate(prompt=PROMPT, stream=True, partial_images=2, extra_body={"seed": 1}):
            kinds.append(last.type)
        source = BytesIO(base64.b64decode(image.b64_json or ""))
        edited = ai.images.edit(image=("a.png", source), prompt=PROMPT, extra_body={"strength": 0.2, "seed": 1})

    assert is_red_in_the_middle(pixels(image.b64_json))
    assert kinds[-1] == "image_generation.completed"
    assert set(kinds[:-1]) == {"image_generation.partial_image"}
    # The same seed gives the same image, whichever way it is asked for.
    assert last
    assert np.abs(pixels(last.b64_json) - pixels(image.b64_json)).max() <= 1
    [redrawn] = edited.data or []
    assert np.abs(pixels(redrawn.b64_json) - pixels(image.b64_json)).mean() < 20


def test_the_asynchronous_client_has_its_raw_answer_too(stack_url: str) -> None:
    async def ask() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{stack_url}/v1", api_key="any") as ai:
            several = (ai.images.with_raw_response.generate(prompt=PROMPT, extra_body={"seed": n}) for n in range(3))
            return await asyncio.gather(*several)

    answers = asyncio.run(ask())

    assert [answer.parse().data[0].seed for answer in answers] == [0, 1, 2]
    assert len({answer.headers["x-job-id"] for answer in answers}) == 3


def test_the_client_for_node_draws(stack_url: str, node: str) -> None:
    done = subprocess.run(
        [node, "client.mjs", f"{stack_url}/v1"], cwd=FOLDER, capture_output=True, text=True, timeout=180, check=False
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["made"]["size"], said["made"]["seeds"]) == ("64x96", [7, 8])
    assert said["streamed"][-1]["type"] == "image_generation.completed"
    assert said["streamed"][-1]["bytes"] > 1000


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_the_commands_of_a_page_run_as_they_stand_there(
    page: str, stack_url: str, repository: Path, tmp_path: Path
) -> None:
    """But for the address, and for the id that a reader puts in."""
    if not shutil.which("curl"):
        pytest.skip("No curl.")
    commands = [block for block in SHELL.findall((repository / page).read_text(encoding="utf-8")) if ":8000" in block]
    with httpx.Client(base_url=stack_url, trust_env=False, timeout=90) as http:
        job_id = http.post("/generate", json={"prompt": PROMPT}, headers={"Prefer": "wait=60"}).json()["id"]
        script = ADDRESS.sub(stack_url, re.sub(r"^ID=.*$", "", "\n".join(commands), flags=re.MULTILINE))

        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={**os.environ, "JOB": job_id, "ID": job_id},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        upscaled = eventually(lambda: finished(http, "upscale"), 60, what="an upscaled image")
        varied = eventually(lambda: finished(http, "image-to-image"), 60, what="variations")

    assert done.returncode == 0, done.stderr
    assert '"status":4' not in done.stdout
    assert "urn:darkroom:problem" not in done.stdout
    assert Image.open(BytesIO((tmp_path / "circle.png").read_bytes())).size == (128, 128)
    assert {(image["width"], image["height"]) for image in upscaled["images"]} == {(512, 512)}
    assert len(varied["images"]) in {1, 4}


def finished(http: httpx.Client, task: str) -> Any:
    jobs = [job for job in http.get("/jobs").json()["jobs"] if job["request"]["task"] == task]
    return next((job for job in jobs if job["status"] == "succeeded"), None)
