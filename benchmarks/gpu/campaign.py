"""Runs pieces one after the other, and keeps each one's result as soon as it is there, so that a campaign that was cut
off goes on where it was. Knows no GPU."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from benchmarks.gpu.pieces import LIMIT_S, Piece
from benchmarks.side import REPOSITORY, clean_environment

TAIL_LINES = 25


@dataclass(frozen=True)
class Outcome:
    """`found` is what the piece printed last; `tail` the end of its output, where it failed."""

    piece: str
    question: str
    command: str
    state: Literal["done", "failed", "skipped"]
    device: Mapping[str, Any]
    seconds: float = 0.0
    found: Any = None
    tail: str = ""
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


_ADAPTER = TypeAdapter(Outcome)
Run = Callable[[Piece], Outcome]


def run_all(pieces: Sequence[Piece], folder: Path, run: Run, *, again: bool = False, at_once: int = 1) -> list[Outcome]:
    """Those that are done already are not run again, unless `again`."""
    folder.mkdir(parents=True, exist_ok=True)

    def run_one(piece: Piece) -> Outcome:
        kept = None if again else read(folder, piece)
        if kept and kept.state == "done":
            return kept
        outcome = run(piece)
        (folder / f"{piece.name}.json").write_bytes(_ADAPTER.dump_json(outcome, indent=1) + b"\n")
        print(f"{piece.name}: {outcome.state} after {outcome.seconds:.0f} s", file=sys.stderr, flush=True)
        if outcome.state == "failed":
            print(outcome.tail, file=sys.stderr, flush=True)
        return outcome

    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(run_one, pieces))


def read(folder: Path, piece: Piece) -> Outcome | None:
    """None where there is none. One that is damaged, or of another command, counts for nothing: it is run again."""
    try:
        kept = _ADAPTER.validate_json((folder / f"{piece.name}.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return kept if kept.command == said(piece) else None


def said(piece: Piece) -> str:
    """As one would type it; without the path of this machine's Python."""
    return " ".join(("python", *("PYTHON" if word == sys.executable else word for word in piece.command)))


def run_piece(piece: Piece, device: Mapping[str, Any], limit_s: float = LIMIT_S) -> Outcome:
    """In a process of its own, which is ended when its time is over."""
    plain = Outcome(piece.name, piece.question, said(piece), "skipped", device)
    if piece.needs and importlib.util.find_spec(piece.needs) is None:
        return _changed(plain, tail=f"{piece.needs} is not installed here.")
    started_s = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, *piece.command],
            cwd=REPOSITORY,
            env={**clean_environment(), "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
        return _changed(
            plain, state="failed", seconds=limit_s, tail=f"{_tail(output)}\nIt took longer than {limit_s} s."
        )
    seconds = round(time.monotonic() - started_s, 1)
    found = _found(done.stdout, piece)
    if done.returncode != 0 or found is None:
        return _changed(plain, state="failed", seconds=seconds, found=found, tail=_tail(done.stdout))
    return _changed(plain, state="done", seconds=seconds, found=found)


def _changed(outcome: Outcome, **fields: Any) -> Outcome:
    return Outcome(**{**asdict(outcome), **fields})


def _found(output: str, piece: Piece) -> Any:
    last = output.strip().rpartition("\n")[2]
    if piece.is_tests:
        return last
    try:
        return json.loads(last)
    except json.JSONDecodeError:
        return None


def _tail(output: str) -> str:
    lines = output.replace(f"{REPOSITORY}{os.sep}", "").splitlines()
    return "\n".join(lines[-TAIL_LINES:])
