"""One stack to a data folder."""

import os
from pathlib import Path

import pytest

from darkroom.errors import Misconfigured
from darkroom.local.data_lock import locked


def test_a_second_stack_on_the_same_folder_is_told_who_has_it(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(Misconfigured, match=rf"in use by another stack \(process {os.getpid()}\)"),
        locked(tmp_path),
    ):
        pass


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with locked(tmp_path / "new"):
        pass
    with locked(tmp_path / "new"):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Misconfigured, match="file/data cannot be written"), locked(tmp_path / "file" / "data"):
        pass
