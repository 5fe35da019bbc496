"""The Dockerfiles, as far as that can be told without building them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu"])
def test_the_dockerfile_has_nothing_that_hadolint_minds(repository: Path, name: str) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"

    checked = subprocess.run([hadolint, name], cwd=repository, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu"])
def test_the_image_pins_its_base_and_does_not_run_as_root(repository: Path, name: str) -> None:
    lines = (repository / name).read_text().splitlines()

    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    users = [line.split()[1] for line in lines if line.startswith("USER ")]

    assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in bases)
    assert users == ["10001"]


def test_every_package_passes_the_ignore_file(repository: Path) -> None:
    allowed = {line[1:] for line in (repository / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    packages = {marker.parent.name for marker in repository.glob("*/py.typed")}

    assert len(packages) >= 6
    assert packages | {"pyproject.toml", "deploy/create_bucket.py"} <= allowed
