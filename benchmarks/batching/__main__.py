"""Our batching beside a bare loop and other servers, in one run on one machine: `make bench`.

The last line printed is one JSON object with the ratios that the design has targets for.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.batching.comparison import Comparison, Load, compare, measure_offline, say
from benchmarks.batching.offline import Offline
from benchmarks.batching.plot import plot
from benchmarks.batching.ratios import Ratios, ratios
from benchmarks.batching.report import report
from benchmarks.batching.systems import SYSTEMS, Plan, systems_for
from benchmarks.figures import poisson_arrivals
from benchmarks.machine import this_machine
from benchmarks.pages import within_width
from benchmarks.side import REPOSITORY
from benchmarks.subject import Subject, choose_subject
from benchmarks.work import MIXES, mixed_works
from darkroom.settings import Settings

RESULTS = Path(__file__).parents[1] / "results"
BUILT_MODELS = REPOSITORY / "build" / "models"
PACKAGES = ("torch", "diffusers", "transformers", "celery", "fastapi")
BATCH_SIZES = (1, 2, 4, 8, 16)
QUICK = {"jobs": 16, "samples": 3, "bulk_jobs": 20, "batch_sizes": (1, 8)}


def main() -> None:
    options = _options()
    load_before = os.getloadavg()[0]
    subject = choose_subject(options.model, options.size, BUILT_MODELS)
    works = mixed_works(options.jobs, options.seed, MIXES[options.mix])
    alone = Plan(subject, subject.assignment(), options.peers_python, options.lanes)
    say(f"Offline loop: {len(works)} works one by one, and in batches …")
    offline = measure_offline(alone, works, options.batch_sizes)
    rate_per_s = options.share * offline.in_best_batches
    window = options.window_batches * offline.best_batch
    served = replace(alone, assignment=subject.assignment(offline.best_batch, window))
    load = Load(works, poisson_arrivals(len(works), rate_per_s, options.seed), options.samples, options.bulk_jobs)
    comparison = compare(options.only or systems_for(subject.device), served, load)
    about = {**_about(options, subject, load_before), "rate_per_s": rate_per_s, "window": window}
    _tell(about, offline, comparison, ratios(offline, comparison), None if options.quick else options.save_as)


def _about(options: argparse.Namespace, subject: Subject, load_before: float) -> dict[str, Any]:
    return {
        "command": " ".join(["python -m benchmarks.batching", *sys.argv[1:]]),
        "machine": this_machine(PACKAGES, load_before),
        "device": _device_name(subject),
        "model": options.model,
        "side": subject.side,
        "mix": options.mix,
        "jobs": options.jobs,
        "share": options.share,
        "seed": options.seed,
        "lanes": options.lanes or Settings().lanes,
    }


def _device_name(subject: Subject) -> str:
    import torch

    return torch.cuda.get_device_name() if subject.device.startswith("cuda") else "no GPU"


def _tell(about: dict[str, Any], offline: Offline, comparison: Comparison, figures: Ratios, name: str | None) -> None:
    page = report(about, offline, comparison, figures, Path(name or "batching").name)
    print(page)
    if name:
        (RESULTS / name).parent.mkdir(exist_ok=True)
        result = {**about, "offline": asdict(offline), **asdict(comparison), "ratios": asdict(figures)}
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (RESULTS / f"{name}.md").write_text(within_width(page), encoding="utf-8")
        plot(offline, comparison, RESULTS / f"{name}.png")
    print(json.dumps(asdict(figures)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=("minilab", "sdxl-random", "flux-random"), default="minilab")
    parser.add_argument("--size", type=int, help="width and height, pixels; default: the model's own")
    parser.add_argument("--jobs", type=int, default=120, help="jobs of each load")
    parser.add_argument("--share", type=float, default=0.7, help="Poisson rate, as a share of the best offline loop's")
    parser.add_argument("--seed", type=int, default=1, help="of mix and arrivals")
    parser.add_argument("--mix", choices=MIXES, default="usual", help="of step counts")
    parser.add_argument(
        "--window-batches",
        type=int,
        default=1,
        help="requests that a peer may collect, in best batches: 1 is what their documentation shows; with more, those "
        "of one step count come together more often",
    )
    parser.add_argument("--lanes", type=int, help="of Darkroom's worker; default: its own")
    parser.add_argument("--only", type=_names, help=f"some of {','.join(SYSTEMS)}")
    parser.add_argument("--samples", type=int, default=15, help="interactive jobs on an idle and on a filled worker")
    parser.add_argument(
        "--bulk-jobs", type=int, default=100, help="that fill the worker meanwhile; the rest is canceled"
    )
    parser.add_argument("--peers-python", type=Path, default=REPOSITORY / ".venv-peers" / "bin" / "python")
    parser.add_argument("--save-as", default="batching", help="name of the files in benchmarks/results")
    parser.add_argument("--quick", action="store_true", help="few jobs, to see that it runs; writes no results")
    parser.set_defaults(batch_sizes=BATCH_SIZES)
    if parser.parse_args().quick:
        parser.set_defaults(**QUICK)  # what is asked for by name goes before them
    return parser.parse_args()


def _names(text: str) -> Sequence[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in SYSTEMS]:
        raise argparse.ArgumentTypeError(f"{unknown} not known; known are {', '.join(SYSTEMS)}")
    return names


if __name__ == "__main__":
    main()
