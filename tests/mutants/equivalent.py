"""Faults that change nothing which anybody could observe. They are listed with the reason, and never drawn."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.fault import Fault

LIST = Path(__file__).parent / "equivalent.toml"


@dataclass(frozen=True)
class Equivalent:
    path: str
    kind: str
    line: str
    why: str

    def covers(self, fault: Fault) -> bool:
        return (self.path, self.kind, self.line) == (fault.path, fault.kind, fault.code)


def equivalents() -> list[Equivalent]:
    return [Equivalent(**entry) for entry in tomllib.loads(LIST.read_text("utf-8")).get("fault", [])]


def without_equivalent(faults: Sequence[Fault]) -> list[Fault]:
    listed = equivalents()
    return [fault for fault in faults if not any(entry.covers(fault) for entry in listed)]
