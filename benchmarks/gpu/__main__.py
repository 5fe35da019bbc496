"""The whole campaign for whoever has a card for half an hour: `make gpu`. Rehearsed on a CPU: `make gpu REHEARSE=1`."""

import argparse
import platform
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.gpu.campaign import Outcome, run_all, run_piece
from benchmarks.gpu.pieces import Piece, real_pieces, rehearsal_pieces
from benchmarks.gpu.report import plot, report
from benchmarks.pages import within_width

RESULTS = Path(__file__).parents[1] / "results" / "gpu"
PACKAGES = ("torch", "diffusers", "transformers")


def main() -> None:
    options = _options()
    pieces = rehearsal_pieces() if options.rehearse else real_pieces()
    if options.list:
        print("\n".join(f"{piece.name:<28}{piece.question}" for piece in pieces))
        return
    device = this_device(is_rehearsal=options.rehearse)
    if options.rehearse:
        with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
            sys.exit(campaign(pieces, Path(folder), device, options))
    sys.exit(campaign(_chosen(pieces, options.only), RESULTS, device, options))


def campaign(pieces: Sequence[Piece], folder: Path, device: dict[str, Any], options: argparse.Namespace) -> int:
    """How many pieces failed."""
    run = partial(run_piece, device=device)
    outcomes = run_all(pieces, folder, run, again=options.again, at_once=2 if options.rehearse else 1)
    page = report(outcomes, is_rehearsal=options.rehearse)
    (folder / "gpu.md").write_text(within_width(page), encoding="utf-8")
    _plot(outcomes, folder)
    print(page)
    return sum(outcome.state == "failed" for outcome in outcomes)


def this_device(*, is_rehearsal: bool) -> dict[str, Any]:
    """Ends here, with a sentence, where there is no card to measure on."""
    import torch

    if is_rehearsal:
        return {"device": "cpu", "python": platform.python_version(), **_versions()}
    if not torch.cuda.is_available():
        sys.exit("torch sees no CUDA device here. Without one, rehearse: make gpu REHEARSE=1")
    properties = torch.cuda.get_device_properties(0)
    return {
        "device": torch.cuda.get_device_name(0),
        "memory": f"{properties.total_memory / 2**30:.0f} GiB",
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        **_versions(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            sys.exit(
                f"{package} is not installed here. See benchmarks/gpu/README.md, which says how to bring it along."
            )
    return found


def _plot(outcomes: Sequence[Outcome], folder: Path) -> None:
    try:
        plot(outcomes, folder / "gpu.png")
    except ImportError:  # a rented card's machine need not have it
        print("No plot: pip install matplotlib.", file=sys.stderr)


def _chosen(pieces: Sequence[Piece], names: Sequence[str] | None) -> list[Piece]:
    if unknown := set(names or ()) - {piece.name for piece in pieces}:
        sys.exit(f"No such pieces: {', '.join(sorted(unknown))}. `--list` says which there are.")
    return [piece for piece in pieces if not names or piece.name in names]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rehearse", action="store_true", help="tiny models on a CPU; keeps nothing")
    parser.add_argument("--only", nargs="+", metavar="PIECE", help="some pieces")
    parser.add_argument("--again", action="store_true", help="also those that are done")
    parser.add_argument("--list", action="store_true", help="say which pieces there are")
    return parser.parse_args()


if __name__ == "__main__":
    main()
