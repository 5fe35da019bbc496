"""Real servers, started by hand on free loopback ports without root. Knows nothing of pytest."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class ServerProcess:
    """A server that can be killed, paused and started again: same port, same data.

    It leads a process group of its own, for some servers are a script round the real thing.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, answers: Callable[[], bool], env: Mapping[str, str] | None = None
    ) -> None:
        self._command = list(command)
        self._log = folder / "server.log"
        self._answers = answers
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self._command[0]} is not running")
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def start(self, deadline_s: float = 60) -> None:
        """Returns once it answers. Raises RuntimeError, with the end of its log, when it does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + deadline_s
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                said = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._command[0]} did not answer within {deadline_s:.0f} s. It said:\n{said}")
            time.sleep(0.02)

    def stop(self) -> None:
        """As its operator would, with SIGTERM; after 20 s as the kernel would."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=20)
        self.kill()

    def kill(self) -> None:
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait(timeout=10)
        self._process = None

    def pause(self) -> None:
        """Connections stay open, and nothing answers: what a stalled disk or a lost network looks like."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # the whole group has ended
            os.killpg(self.pid, number)


@dataclass(frozen=True)
class RedisServer:
    url: str
    process: ServerProcess


@dataclass(frozen=True)
class RabbitMQServer:
    url: str
    process: ServerProcess
    port_mapper: ServerProcess


@dataclass(frozen=True)
class S3Server:
    endpoint_url: str
    access_key_id: str
    secret_access_key: str
    bucket: str
    process: ServerProcess


def redis_binary() -> str | None:
    """The machine's own, and not the embedded one: what runs on both is held to both."""
    return shutil.which("redis-server")


def redis_server(binary: str, folder: Path) -> RedisServer:
    port = free_port()
    command = [
        binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
        "--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no",
    ]  # fmt: skip
    return RedisServer(f"redis://127.0.0.1:{port}/0", ServerProcess(command, folder, lambda: _pongs(port)))


def _pongs(port: int) -> bool:
    # A Redis that still reads its append-only file accepts connections and answers LOADING.
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def rabbitmq_binary() -> str | None:
    """The package's own script: the one on the PATH wants to be root, or the user `rabbitmq`."""
    script = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(script) if script.exists() and shutil.which("epmd") else None


def rabbitmq_server(binary: str, folder: Path, more: Mapping[str, int] = {}) -> RabbitMQServer:
    """`more` are settings of the broker by their names in Erlang, some of which its other file does not know."""
    port, distribution_port, mapper_port = free_port(), free_port(), free_port()
    plugins, configuration = folder / "enabled_plugins", folder / "rabbitmq.conf"
    plugins.write_text("[].\n")
    configuration.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
    advanced = folder / "advanced.config"
    advanced.write_text(f"[{{rabbit, [{', '.join(f'{{{name}, {value}}}' for name, value in more.items())}]}}].\n")
    erlang = {"HOME": str(folder), "ERL_EPMD_PORT": str(mapper_port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    node = {
        "NODENAME": f"darkroom-{port}@localhost",
        "NODE_IP_ADDRESS": "127.0.0.1",
        "NODE_PORT": str(port),
        "DIST_PORT": str(distribution_port),
        "SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "MNESIA_BASE": str(folder / "mnesia"),
        "LOG_BASE": str(folder / "log"),
        "LOGS": "-",
        "PID_FILE": str(folder / "pid"),
        "CONFIG_FILE": str(configuration),
        "ADVANCED_CONFIG_FILE": str(advanced),
        "ENABLED_PLUGINS_FILE": str(plugins),
    }
    # Erlang would start a port mapper of its own when it finds none, and leave it behind for good.
    mapper = ServerProcess(["epmd", "-port", str(mapper_port)], folder, lambda: accepts(mapper_port), erlang)
    environment = erlang | {f"RABBITMQ_{name}": value for name, value in node.items()}
    process = ServerProcess([binary], folder, lambda: accepts(port), environment)
    return RabbitMQServer(f"amqp://guest:guest@127.0.0.1:{port}//", process, mapper)


def rclone_binary() -> str | None:
    beside_python = Path(sys.executable).parent / "rclone"
    return str(beside_python) if beside_python.exists() else shutil.which("rclone")


def s3_server(binary: str, folder: Path) -> S3Server:
    """rclone verifies signatures and expiry, which moto's server does not.

    Without write-back, what it has taken lies in its folder at once, also for one that is killed and started again.
    """
    port, bucket = free_port(), "darkroom"
    access_key_id, secret_access_key = secrets.token_hex(10), secrets.token_hex(20)
    (folder / "data" / bucket).mkdir(parents=True)
    command = [
        binary, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{access_key_id},{secret_access_key}",
        "--vfs-cache-mode", "writes", "--vfs-write-back", "0s", "--config", "", "--cache-dir", str(folder / "cache"),
        str(folder / "data"),
    ]  # fmt: skip
    process = ServerProcess(command, folder, lambda: accepts(port))
    return S3Server(f"http://127.0.0.1:{port}", access_key_id, secret_access_key, bucket, process)
