"""Commands in the data folder of a stack that is up find its Redis, unless they are told of another."""

from pathlib import Path

import pytest

from darkroom.local.embedded_redis import socket_folder
from darkroom.local.running import FILE, settings_here, told, url_of
from darkroom.settings import Settings

ELSEWHERE = "redis://127.0.0.1:6399/0"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DARKROOM_REDIS_URL", raising=False)
    monkeypatch.setenv("DARKROOM_DATA_DIR", str(tmp_path))
    return tmp_path


def test_while_a_stack_is_up_its_redis_is_meant(data_dir: Path) -> None:
    with socket_folder() as folder:
        (folder / "redis.sock").touch()
        with told(data_dir, folder / "redis.sock"):
            during = settings_here()
        after = settings_here()

    assert during.redis_url == url_of(folder / "redis.sock")
    assert after.redis_url == Settings().redis_url
    assert not (data_dir / FILE).exists()


def test_one_that_is_named_comes_first(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_REDIS_URL", ELSEWHERE)
    with socket_folder() as folder:
        (folder / "redis.sock").touch()
        with told(data_dir, folder / "redis.sock"):
            assert settings_here().redis_url == ELSEWHERE


def test_what_a_killed_stack_left_leads_nowhere(data_dir: Path) -> None:
    (data_dir / FILE).write_text(url_of(data_dir / "gone" / "redis.sock"))

    assert settings_here().redis_url == Settings().redis_url
