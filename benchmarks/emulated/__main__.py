"""Darkroom beside its peers on a device that takes as long as a published curve says: `make bench-emulated`.

Each curve's results are kept as soon as they are there; the page is made of all that are kept. The last line printed is
one JSON object: by curve and load, the ratios that have targets.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.emulated.kept import RESULTS, Kept, all_kept, keep
from benchmarks.emulated.measuring import Effort, measure
from benchmarks.emulated.plot import plot
from benchmarks.emulated.ratios import ratios
from benchmarks.emulated.report import report
from benchmarks.emulated.systems import EMULATED
from benchmarks.emulation import CURVES
from benchmarks.machine import this_machine
from benchmarks.pages import within_width
from benchmarks.side import REPOSITORY

PACKAGES = ("torch", "diffusers", "celery", "fastapi")
LOADS = (0.5, 0.7, 0.9)
# About a minute's work each at full speed, and enough for a 95th percentile.
JOBS = {"small": 120, "sdxl-512": 120, "sdxl-1024": 60, "flux-1024": 40}
SHORT: dict[str, Any] = {
    "curves": ["sdxl-512"],
    "loads": [0.7],
    "only": ["celery", "litserve", "ray", "bentoml", "litserve-tuned", "darkroom"],
    "jobs": 48,
    "samples": 7,
}

T = TypeVar("T")


def main() -> None:
    options = _options()
    for curve in options.curves:
        effort = Effort(
            options.only,
            options.loads,
            options.jobs or JOBS[curve],
            options.samples,
            options.seed,
            options.peers_python,
        )
        about = _about(effort)
        kept = Kept(curve, about, measure(curve, effort))
        keep(kept, options.folder)
    _tell(options.folder)


def _about(effort: Effort) -> dict[str, Any]:
    return {
        "command": " ".join(["python -m benchmarks.emulated", *sys.argv[1:]]),
        "machine": this_machine(PACKAGES, os.getloadavg()[0]),
        "jobs": effort.jobs,
        "loads": list(effort.loads),
        "seed": effort.seed,
    }


def _tell(folder: Path) -> None:
    kept = all_kept(folder)
    page = report(kept)
    print(page)
    (folder / "emulated.md").write_text(within_width(page), encoding="utf-8")
    plot(kept, folder / "emulated.png")
    figures = {curve: {load: asdict(each) for load, each in ratios(one.result).items()} for curve, one in kept.items()}
    print(json.dumps(figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=_some_of(CURVES), default=list(CURVES), help=f"some of {','.join(CURVES)}")
    parser.add_argument("--loads", type=_each(float), default=list(LOADS), help="shares of the best batch rate")
    parser.add_argument("--jobs", type=int, help=f"of each load; default: {JOBS}")
    parser.add_argument("--only", type=_some_of(EMULATED), default=list(EMULATED), help=f"some of {','.join(EMULATED)}")
    parser.add_argument("--samples", type=int, default=10, help="interactive jobs on an idle and on a filled worker")
    parser.add_argument("--seed", type=int, default=1, help="of mix and arrivals")
    parser.add_argument("--peers-python", type=Path, default=REPOSITORY / ".venv-peers" / "bin" / "python")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results are kept")
    parser.add_argument("--short", action="store_true", help="one curve, one load, fewer jobs and systems")
    if parser.parse_args().short:
        parser.set_defaults(**SHORT)  # what is asked for by name goes before them
    return parser.parse_args()


def _some_of(known: Sequence[str] | Any) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        if unknown := [name for name in text.split(",") if name not in known]:
            raise argparse.ArgumentTypeError(f"{unknown} not known; known are {', '.join(known)}")
        return text.split(",")

    return names


def _each(kind: Callable[[str], T]) -> Callable[[str], list[T]]:
    return lambda text: [kind(word) for word in text.split(",")]


if __name__ == "__main__":
    main()
