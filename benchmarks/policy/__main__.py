"""Simulates the scheduling policy against others, on throughput curves: `python -m benchmarks.policy`.

`--record` first times the bundled model's UNet on this machine, so that its curve is among them.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.pages import within_width
from benchmarks.policy.curves import Curve, known_curves
from benchmarks.policy.experiments import (
    Effort,
    compare_ageings,
    compare_company,
    compare_kept_lanes,
    compare_lanes,
    compare_merging,
    compare_ways,
)
from benchmarks.policy.plot import plot
from benchmarks.policy.report import report
from benchmarks.policy.summary import Latencies, Summary

RESULTS = Path(__file__).parents[1] / "results"
EXPERIMENTS = {
    "ways": compare_ways,
    "ageings": compare_ageings,
    "merging": compare_merging,
    "lanes": compare_lanes,
    "kept": compare_kept_lanes,
    "company": compare_company,
}


def main() -> None:
    options = _options()
    if options.record:
        _record()
    curves = known_curves()
    result = simulate(curves, Effort(options.jobs, options.seeds))
    page = report(result, curves) + "\n"
    if not options.quick:
        _write(result, page, [curve.name for curve in curves])
    print(page)


def simulate(curves: Sequence[Curve], effort: Effort) -> dict[str, Any]:
    started_s = time.process_time()
    rows = {name: [_plain(row) for row in compare(curves, effort)] for name, compare in EXPERIMENTS.items()}
    return {
        "benchmark": "policy",
        "command": " ".join(["python -m benchmarks.policy", *sys.argv[1:]]),
        **asdict(effort),
        "cpu_s": round(time.process_time() - started_s),
        "curves": [asdict(curve) for curve in curves],
        **rows,
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: asdict(value) if isinstance(value, Summary | Latencies) else value for key, value in row.items()}


def _record() -> None:
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    subprocess.run([sys.executable, "-m", "benchmarks.policy.record"], env=environment, check=True)


def _write(result: Mapping[str, Any], page: str, models: Sequence[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "policy.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "policy.md").write_text(within_width(page), encoding="utf-8")
    try:
        plot(result, models, RESULTS / "policy.png")
    except ImportError:
        print("No plot: pip install matplotlib.", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=6000, help="jobs of each run")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each row")
    parser.add_argument("--record", action="store_true", help="time the bundled model on this machine first")
    parser.add_argument("--quick", action="store_true", help="300 jobs, one seed, to see that it runs; writes nothing")
    options = parser.parse_args()
    if options.quick:
        options.jobs, options.seeds = 300, 1
    return options


if __name__ == "__main__":
    main()
