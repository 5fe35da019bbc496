"""One stack to a data folder: two Redis servers on one append-only file would destroy it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.errors import Misconfigured


@contextmanager
def locked(data_dir: Path) -> Iterator[int]:
    """The open lock file. The lock lasts until every process that inherited it has closed it. Raises Misconfigured."""
    path = data_dir / "lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Misconfigured(f"The data folder {data_dir} cannot be written: {error}") from error
    try:
        _lock(descriptor, data_dir)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, data_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        raise Misconfigured(
            f"The data folder {data_dir.resolve()} is in use by another stack (process {owner or 'unknown'}). "
            "Stop that one, or choose another folder with DARKROOM_DATA_DIR."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
