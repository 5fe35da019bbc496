"""Results as files, one for each curve, so that a long run can be made in pieces. A damaged one is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from benchmarks.emulated.measuring import CurveResult
from benchmarks.emulation import CURVES

RESULTS = Path(__file__).parents[1] / "results" / "emulated"


@dataclass(frozen=True)
class Kept:
    """`about`: the command, the machine, and how much was measured."""

    curve: str
    about: Mapping[str, Any]
    result: CurveResult


class Damaged(Exception):
    """A file of results that is none."""


_ADAPTER = TypeAdapter(Kept)


def keep(kept: Kept, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{kept.curve}.json").write_bytes(_ADAPTER.dump_json(kept, indent=1) + b"\n")


def all_kept(folder: Path) -> dict[str, Kept]:
    """In the order of the curves. Raises Damaged."""
    there = [folder / f"{curve}.json" for curve in CURVES]
    return {path.stem: _read(path) for path in there if path.exists()}


def _read(path: Path) -> Kept:
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise Damaged(
            f"{path} holds no results ({where}: {problem['msg']}). Remove it, and run its curve again."
        ) from error
