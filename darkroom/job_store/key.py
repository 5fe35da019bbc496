"""A key of Redis as a value. All that there are stand in `keys.py`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Key:
    pattern: str
    type: Literal["hash", "list", "set", "sorted set", "stream", "string", "channel"]
    holds: str
    written_by: tuple[str, ...]
    goes: str

    @property
    def name(self) -> str:
        """By which scripts ask for it."""
        return self.prefix.removeprefix("darkroom:")

    @property
    def prefix(self) -> str:
        return self.pattern.partition(":{")[0]

    @property
    def parts(self) -> int:
        return self.pattern.count("{")

    def __call__(self, *parts: str) -> str:
        if len(parts) != self.parts:
            raise TypeError(f"The key {self.pattern} has {self.parts} parts, not {len(parts)}.")
        return ":".join((self.prefix, *parts))
