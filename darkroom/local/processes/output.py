"""Where the lines go that the parts of the stack say: the terminal, a log file each, or both."""

import contextlib
import logging
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Lock
from typing import TextIO

LOG_FILE_BYTES = 10_000_000
NAME_WIDTH = 6
COLOURS = ("36", "32", "33", "35", "34")  # cyan, green, yellow, magenta, blue


class Terminal:
    """Each line with the name of its part in front."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str]) -> None:
        self._stream = stream
        self._is_coloured = stream.isatty() and not environment.get("NO_COLOR")
        self._colours: dict[str, str] = {}
        self._lock = Lock()

    def show(self, name: str, line: str) -> None:
        self.say(f"{self._prefix(name)} {line}")

    def say(self, text: str) -> None:
        # A terminal that was closed, or a `| head`, shall not keep us from stopping in good order.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(text + "\n")
            self._stream.flush()

    def _prefix(self, name: str) -> str:
        prefix = f"{name:<{NAME_WIDTH}} |"
        if not self._is_coloured:
            return prefix
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{prefix}\x1b[0m"


class LogFiles:
    """`FOLDER/NAME.log` for each part, and one older file of at most the same size."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files = {
            name: RotatingFileHandler(folder / f"{name}.log", maxBytes=LOG_FILE_BYTES, backupCount=1, encoding="utf-8")
            for name in names
        }

    def write(self, name: str, line: str) -> None:
        self._files[name].emit(logging.makeLogRecord({"msg": line}))

    def close(self) -> None:
        for file in self._files.values():
            file.close()
