"""The `darkroom` command, as a process."""

import os
import subprocess
import sys
from pathlib import Path

from darkroom.commands.data_table import data_page
from darkroom.commands.settings_table import settings_page


def darkroom(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "darkroom", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_the_settings_page_is_the_one_that_the_command_prints(repository: Path) -> None:
    page = (repository / "docs" / "settings.md").read_text(encoding="utf-8")

    assert page == settings_page(), "run `darkroom settings > docs/settings.md`"


def test_the_page_on_data_is_made_from_the_keys(repository: Path) -> None:
    page = (repository / "docs" / "data.md").read_text(encoding="utf-8")

    assert page == data_page(), "run `darkroom data > docs/data.md`"


def test_an_error_of_ours_is_one_line_and_no_traceback() -> None:
    done = darkroom("up", DARKROOM_PORT="many")

    assert done.returncode == 1
    assert done.stderr.startswith("darkroom: DARKROOM_PORT: Input should be a valid integer")
    assert done.stderr.count("\n") == 1


def test_it_tells_its_version() -> None:
    assert darkroom("--version").stdout.startswith("darkroom 0.")


def test_it_starts_without_the_heavy_libraries() -> None:
    heavy = {"torch", "celery", "httpx", "redis", "pydantic"}
    code = f"import sys, darkroom.commands.cli; print({heavy!r} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
