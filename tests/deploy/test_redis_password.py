"""The password of the composed Redis is asked for, and nobody reads it in a list of processes."""

import os
import secrets
import signal
import subprocess
from pathlib import Path

import pytest
import redis
from ruamel.yaml import YAML

from tests import servers
from tests.eventually import eventually
from tests.servers import accepts, free_port
from tests.services import missing


@pytest.mark.redis
def test_redis_is_started_with_its_password_but_not_on_its_command_line(repository: Path, tmp_path: Path) -> None:
    binary = servers.redis_binary() or missing("No redis-server on the PATH: apt-get install redis-server.")
    service, port, password = composed_redis(repository), free_port(), secrets.token_hex(32)
    [script] = service["command"]
    here = script.replace("$$", "$").replace("--dir /data", f"--dir {tmp_path} --bind 127.0.0.1 --port {port}")
    path = f"{Path(binary).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "REDISCLI_AUTH": password, "REDIS_MAXMEMORY": "1gb"}

    process = subprocess.Popen([*service["entrypoint"], here], env=environment, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: accepts(port), what="redis-server")
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        with redis.Redis(port=port, password=password) as client:
            assert client.ping()
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(timeout=10)

    # It is the server itself that Docker stops, and not a shell before it.
    assert "redis-server" in shown
    assert password not in shown
    assert ended == 0


def composed_redis(repository: Path) -> dict[str, list[str]]:
    service: dict[str, list[str]] = YAML(typ="safe").load(repository / "docker-compose.yml")["services"]["redis"]
    return service


def test_no_password_stands_on_a_command_line(repository: Path) -> None:
    services = YAML(typ="safe").load(repository / "docker-compose.yml")["services"]

    commands = " ".join(str(spec.get("command")) + str(spec.get("healthcheck")) for spec in services.values())

    assert "${" not in commands
