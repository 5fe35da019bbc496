"""`up`, with a real Redis and a stand-in for the API."""

import io
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from darkroom.errors import Misconfigured, StackFailed
from darkroom.local.data_lock import locked
from darkroom.local.embedded_redis import redis_command, socket_folder
from darkroom.local.flower_access import FlowerAccess
from darkroom.local.port import any_free
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.output import Terminal
from darkroom.local.processes.part import Part
from darkroom.local.stack import Stack, local_stack
from darkroom.local.up import keep_up, up, welcome
from darkroom.settings import Settings
from tests.darkroom.local.conftest import shell_part
from tests.darkroom.local.lifeline import Lifeline


class CtrlCWhenUp(io.StringIO):
    """A user who reads the greeting, and presses Ctrl-C."""

    def write(self, text: str) -> int:
        written = super().write(text)
        if "It is up" in text:
            signal.raise_signal(signal.SIGINT)
        return written


def keep_up_until_ctrl_c(data_dir: Path, *more: Part, ending: str = "succeeded") -> str:
    port = any_free()
    stream = CtrlCWhenUp()
    with socket_folder() as folder:
        redis_socket = folder / "redis.sock"
        redis = Part("redis", tuple(redis_command(data_dir, redis_socket)), os.environ, is_foundation=True)
        api = Part("api", (sys.executable, "-m", "tests.darkroom.local.stand_in_api", str(port), ending), os.environ)
        stack = Stack((redis, api, *more), redis_socket, f"http://127.0.0.1:{port}")
        terminal = Terminal(stream, {})
        keep_up(stack, Guard(), Settings(data_dir=data_dir), terminal, lambda: terminal.say("It is up."))
    return stream.getvalue()


def test_ctrl_c_ends_it_in_peace(tmp_path: Path, lifeline: Lifeline) -> None:
    said = keep_up_until_ctrl_c(tmp_path, Part("gpu", lifeline.script("echo warming up; sleep 600"), os.environ))

    assert "gpu    | warming up\n" in said
    assert "Stopping. Ctrl-C once more kills at once.\n" in said
    assert (tmp_path / "logs" / "gpu.log").read_text() == "warming up\n"
    lifeline.wait_until_dead()


def test_a_part_that_does_not_come_up_is_not_started_again(tmp_path: Path) -> None:
    with pytest.raises(StackFailed, match="gpu exited with code 1"):
        keep_up_until_ctrl_c(tmp_path, shell_part("gpu", "echo no weights; exit 1"), ending="never ready")

    assert (tmp_path / "logs" / "gpu.log").read_text() == "no weights\n"


def test_a_busy_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = Settings(port=server.getsockname()[1], data_dir=tmp_path / "data")

        with pytest.raises(Misconfigured, match="in use by another program"):
            up(settings, os.environ, io.StringIO())

    assert not settings.data_dir.exists()


def test_a_data_folder_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Misconfigured, match="in use by another stack"):
        up(Settings(port=any_free(), data_dir=tmp_path), os.environ, io.StringIO())


def test_the_greeting_says_where_everything_is() -> None:
    settings, flower = Settings(public_url="https://images.example.com"), FlowerAccess(5555, "darkroom:abc")
    stack = local_stack(settings, {}, Path("/tmp/redis.sock"), flower)

    greeting = welcome(stack, settings, flower)

    assert greeting.splitlines()[0] == "Darkroom is up: https://images.example.com/"
    assert "https://images.example.com/ops" in greeting
    assert "https://images.example.com/docs" in greeting
    assert "http://127.0.0.1:5555  user darkroom, password abc" in greeting
