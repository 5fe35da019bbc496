"""The secret behind local links: the operator's, or one that is made once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import SecretStr

from darkroom.errors import Misconfigured
from darkroom.settings import Settings
from storage.signing_key import signing_key


def test_the_operators_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, signing_key=SecretStr("k" * 32))

    assert signing_key(settings) == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_key_of_our_own_is_made_once_for_our_user_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")

    first = signing_key(settings)

    assert len(first) == 64
    assert signing_key(settings) == first
    assert [path.name for path in settings.data_dir.iterdir()] == ["signing.key"]
    assert stat.S_IMODE((settings.data_dir / "signing.key").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    together = Barrier(8)

    def start(_: int) -> bytes:
        together.wait(timeout=10)
        return signing_key(settings)

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(start, range(8)))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["signing.key"]


def test_a_damaged_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "signing.key").write_text("short")

    with pytest.raises(Misconfigured, match="Delete it"):
        signing_key(Settings(data_dir=tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")

    with pytest.raises(Misconfigured, match="DARKROOM_SIGNING_KEY"):
        signing_key(Settings(data_dir=tmp_path / "data"))
