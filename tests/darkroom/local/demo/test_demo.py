"""The demo's whole way, with a real Redis and a stand-in for the API."""

import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from darkroom.errors import DemoFailed, StackFailed
from darkroom.local.demo.demo import show
from darkroom.local.demo.demo_client import Order
from darkroom.local.embedded_redis import redis_command, socket_folder
from darkroom.local.port import any_free
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.part import Part
from darkroom.local.processes.supervisor import StopAsked
from darkroom.local.stack import Stack
from tests.darkroom.local.conftest import shell_part
from tests.darkroom.local.lifeline import Lifeline


def run_demo(tmp_path: Path, *more: Part, ending: str = "succeeded", order: Order | None = None) -> str:
    port = any_free()
    with socket_folder() as folder:
        socket = folder / "redis.sock"
        redis = Part("redis", tuple(redis_command(tmp_path, socket)), os.environ, is_foundation=True)
        api = Part("api", (sys.executable, "-m", "tests.darkroom.local.stand_in_api", str(port), ending), os.environ)
        stack = Stack((redis, api, *more), socket, f"http://127.0.0.1:{port}")
        said = io.StringIO()
        show(order or Order("a red circle"), stack, Guard(), tmp_path / "out", said)
    return said.getvalue()


def test_the_image_is_written_and_everything_stops(tmp_path: Path, lifeline: Lifeline) -> None:
    said = run_demo(tmp_path, Part("gpu", lifeline.script("sleep 600"), os.environ))

    path = tmp_path / "out" / "job-1.png"
    with Image.open(path) as image:
        assert image.size == (24, 16)
    assert f"{path}  (24 x 16," in said
    assert "seed      7" in said
    lifeline.wait_until_dead()


def test_steps_are_shown_across_a_broken_connection(tmp_path: Path) -> None:
    assert "  step 1 of 2\n  step 2 of 2\n" in run_demo(tmp_path)


def test_a_failed_job_says_why(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="job-1 is failed: out_of_memory: Make it smaller"):
        run_demo(tmp_path, ending="failed")


def test_a_refused_order_says_why(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="POST /generate answers 422 invalid_request: The prompt is longer than 20"):
        run_demo(tmp_path, order=Order("a red circle on a white background"))


def test_an_image_of_another_size_than_asked_for_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="24 x 16 pixels; 32 x 16 were asked for"):
        run_demo(tmp_path, order=Order("a red circle", width=32))


def test_a_part_that_fails_to_start_is_named_and_the_others_stop(tmp_path: Path, lifeline: Lifeline) -> None:
    with pytest.raises(StackFailed, match=r"gpu exited with code 1.*\n  gpu \| no weights"):
        run_demo(
            tmp_path,
            Part("cpu", lifeline.script("sleep 600"), os.environ),
            shell_part("gpu", "echo no weights; exit 1"),
            ending="never ready",
        )

    lifeline.wait_until_dead()


def test_ctrl_c_stops_everything(tmp_path: Path, lifeline: Lifeline) -> None:
    with pytest.raises(StopAsked):
        run_demo(
            tmp_path,
            Part("cpu", lifeline.script(f"kill -INT {os.getpid()}; sleep 600"), os.environ),
            ending="never ready",
        )

    lifeline.wait_until_dead()
