"""Do estimates hold that clients are given? A real service under load: `python -m benchmarks.eta`."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.comparison import say
from benchmarks.eta_load import KEYS, Load, Plan
from benchmarks.eta_report import report
from benchmarks.machine import this_machine
from benchmarks.side import queue_side

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("darkroom", "torch", "diffusers", "celery", "redis")


def main() -> None:
    options = _options()
    load_before = os.getloadavg()[0]
    plan = Plan(jobs=options.jobs, lanes=options.lanes, most_waiting=options.most_waiting)
    measured = _measure(plan)
    result = {
        "benchmark": "eta",
        "command": " ".join(["python -m benchmarks.eta", *sys.argv[1:]]),
        "machine": {**this_machine(PACKAGES, load_before), "load_after": os.getloadavg()[0]},
        "plan": asdict(plan),
        **measured.as_dict(),
    }
    page = report(result, measured)
    if not options.quick:
        (RESULTS / "eta.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "eta.md").write_text(page, encoding="utf-8")
    if options.samples:
        Path(options.samples).write_text(json.dumps([asdict(sample) for sample in measured.samples]), encoding="utf-8")
    print(page)
    print(json.dumps(result))


def _measure(plan: Plan) -> Load:
    environment = {
        "DARKROOM_API_KEYS": ",".join(f"{name}:{key}" for name, key in KEYS.items()),
        "DARKROOM_LANES": str(plan.lanes),
        "DARKROOM_MAX_WAITING_PER_KEY": str(plan.most_waiting),
    }
    temporary = tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True)
    with temporary as folder, queue_side(Path(folder), environment=environment) as side:
        load = Load(side.url, plan, say)
        asyncio.run(load.run())
        return load


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eta", description=__doc__)
    parser.add_argument("--jobs", type=int, default=60, help="jobs of each part")
    parser.add_argument("--lanes", type=int, default=8, help="of the one worker")
    parser.add_argument("--most-waiting", type=int, default=40, help="jobs of a key before it gets 429")
    parser.add_argument("--samples", help="file for every single estimate, to look into")
    parser.add_argument("--quick", action="store_true", help="8 jobs a part, to see that it runs; writes no results")
    options = parser.parse_args()
    if options.quick:
        options.jobs, options.lanes, options.most_waiting = 8, 4, 6
    return options


if __name__ == "__main__":
    main()
