"""A Redis that a test may stop and start again: same socket, same data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.local.embedded_redis import redis_command, socket_folder
from darkroom.local.processes.readiness import redis_answers
from tests.servers import RedisServer, ServerProcess


@contextmanager
def redis_of_our_own(data_dir: Path, max_bytes: int = 0) -> Iterator[RedisServer]:
    data_dir.mkdir(parents=True)
    with socket_folder() as folder:
        socket = folder / "redis.sock"
        process = ServerProcess(
            redis_command(data_dir, socket, max_bytes=max_bytes), data_dir, lambda: redis_answers(socket)
        )
        process.start()
        try:
            yield RedisServer(f"unix://{socket}?db=0", process)
        finally:
            process.kill()
