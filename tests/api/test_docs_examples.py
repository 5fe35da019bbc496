"""The examples of docs/api.md that start from a picture, run as they stand there."""

import json
import re
import subprocess
from pathlib import Path

from darkroom.job_store.store import JobStore
from tests.api.input_pictures import picture
from tests.api.serving import Serving


def test_the_example_of_an_upload_makes_a_job(api: Serving, store: JobStore, repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs/api.md").read_text(encoding="utf-8")
    [example] = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "/uploads" in block]
    (tmp_path / "circle.png").write_bytes(picture())
    # Nobody draws here, so nobody need be waited for.
    script = example.replace("http://127.0.0.1:8000", api.url).replace("wait=60", "wait=1")

    answer = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )

    assert json.loads(answer.stdout)["request"]["task"] == "image-to-image"
    assert [job.request.strength for job in store.newest("anonymous", limit=9)] == [0.7]
