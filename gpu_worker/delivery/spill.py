"""Where encoded images wait for storage: in memory, and on disk once more of them wait. Knows no jobs."""

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

# In ordinary times images wait for moments, and never touch the disk.
MOST_IN_MEMORY_BYTES = 64 * 2**20
LOCK = ".lock"
# The operator may name a folder that holds other things too.
OURS = "finished-images-"


@dataclass(frozen=True)
class Kept:
    """One encoded image, in memory or in a file."""

    size_bytes: int
    data: bytes | None = None
    path: Path | None = None

    def read(self) -> bytes:
        return self.path.read_bytes() if self.path else self.data or b""


class Spill:
    """Its files are in a folder of this process alone, for our user alone. `open` before use, `close` after."""

    def __init__(self, root: Path, most_bytes: int, most_in_memory_bytes: int = MOST_IN_MEMORY_BYTES) -> None:
        self._root = root
        self._most_bytes = most_bytes
        self._most_in_memory = most_in_memory_bytes
        self._in_memory = 0
        self._on_disk = 0
        self.folder: Path | None = None
        self._lock_file = -1
        self._files = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Also removes what processes left that were killed: their jobs have gone back in line, or are about to."""
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self._root):
                _remove_leftovers(self._root)
                self.folder = self._root / f"{OURS}{secrets.token_hex(8)}"
                self.folder.mkdir(mode=0o700)
                self._lock_file = _lock_of(self.folder)
                fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.folder = None
            log.warning("outbox.no_disk", folder=str(self._root), reason=error.strerror or type(error).__name__)

    def close(self) -> None:
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._lock_file)
            self.folder = None

    @property
    def waiting_bytes(self) -> int:
        return self._in_memory + self._on_disk

    def fullness(self) -> float:
        """1 or more when it should be given no more."""
        disk_takes_nothing = self._in_memory > self._most_in_memory
        return max(self.waiting_bytes / self._most_bytes, float(disk_takes_nothing))

    def keep(self, data: bytes) -> Kept:
        with self._lock:
            fits_in_memory = self._in_memory + len(data) <= self._most_in_memory
        kept = None if fits_in_memory else self._write(data)
        kept = kept or Kept(len(data), data)
        self._count(kept, kept.size_bytes)
        return kept

    def discard(self, kept: Kept) -> None:
        self._count(kept, -kept.size_bytes)
        if kept.path:
            with suppress(OSError):
                kept.path.unlink()

    def _count(self, kept: Kept, added: int) -> None:
        with self._lock:
            if kept.path:
                self._on_disk += added
            else:
                self._in_memory += added

    def _write(self, data: bytes) -> Kept | None:
        if not self.folder:
            return None
        with self._lock:
            self._files += 1
            path = self.folder / str(self._files)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
        except OSError as error:
            with suppress(OSError):
                path.unlink()
            log.warning("outbox.disk_refused", folder=str(self._root), reason=error.strerror or type(error).__name__)
            return None
        return Kept(len(data), path=path)


def _remove_leftovers(root: Path) -> None:
    """A folder whose lock nobody holds belongs to a process that is gone, on this machine or another."""
    for folder in [path for path in root.glob(f"{OURS}*") if path.is_dir() and not path.is_symlink()]:
        with suppress(OSError):  # somebody holds the lock
            lock_file = _lock_of(folder)
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                log.info("outbox.leftovers_removed", folder=str(folder))
            finally:
                os.close(lock_file)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Between making a folder and locking it, nobody else may take it for a leftover."""
    lock_file = _lock_of(folder)
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock_file)


def _lock_of(folder: Path) -> int:
    return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
