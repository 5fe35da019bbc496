"""What the tests of the local stack share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.local.processes.part import Part
from tests.darkroom.local.lifeline import Lifeline


@pytest.fixture
def lifeline(tmp_path: Path) -> Iterator[Lifeline]:
    line = Lifeline(tmp_path)
    yield line
    line.close()


def shell_part(name: str, script: str, *, is_foundation: bool = False) -> Part:
    return Part(name, ("/bin/sh", "-c", script), os.environ, is_foundation=is_foundation)
