"""What the deployment files set must exist: a misspelt variable would be ignored without a word."""

import re
from pathlib import Path

from darkroom.settings import Settings

# The README speaks of a family of settings by its prefix.
PREFIXES = {"DARKROOM_", "DARKROOM_S3_"}


def _deployment_files(repository: Path) -> list[Path]:
    top = [repository / name for name in ("docker-compose.yml", ".env.example", "Dockerfile", "Dockerfile.gpu")]
    return [*top, *(path for path in (repository / "deploy").rglob("*") if path.is_file())]


def test_every_setting_that_is_named_exists(repository: Path) -> None:
    known = {f"DARKROOM_{field.upper()}" for field in Settings.model_fields}

    named = {
        name
        for file in _deployment_files(repository)
        for name in re.findall(r"\bDARKROOM_[A-Z0-9_]*", file.read_text(errors="ignore"))
    }

    assert len(named) > 10
    assert named - PREFIXES <= known
