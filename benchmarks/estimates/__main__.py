"""Do estimates hold that clients are given? A real service under load: `python -m benchmarks.estimates`."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.batching.comparison import say
from benchmarks.estimates.load import KEYS, MODEL, Load, Plan
from benchmarks.estimates.report import report
from benchmarks.estimates.stand_in import StandIn
from benchmarks.machine import this_machine
from benchmarks.pages import within_width
from benchmarks.side import Side, queue_side
from darkroom.settings import Settings

RESULTS = Path(__file__).parents[1] / "results"
MOST_IN_FORWARD = 8
PACKAGES = ("darkroom", "torch", "diffusers", "celery", "redis")


def main() -> None:
    options = _options()
    load_before = os.getloadavg()[0]
    plan = Plan(jobs=options.jobs, lanes=options.lanes, most_waiting=options.most_waiting)
    measured = _measure(plan, options.stand_in)
    result = {
        "benchmark": "eta",
        "command": " ".join(["python -m benchmarks.estimates", *sys.argv[1:]]),
        "machine": {**this_machine(PACKAGES, load_before), "load_after": os.getloadavg()[0]},
        "plan": asdict(plan),
        "stand_in": options.stand_in,
        **measured.as_dict(),
    }
    page = report(result, measured)
    if not options.quick:
        name = "eta_stand_in" if options.stand_in else "eta"
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (RESULTS / f"{name}.md").write_text(within_width(page), encoding="utf-8")
    print(page)
    print(json.dumps(result))


def _measure(plan: Plan, stand_in: bool) -> Load:
    environment = {
        "DARKROOM_API_KEYS": ",".join(f"{name}:{key}" for name, key in KEYS.items()),
        "DARKROOM_LANES": str(plan.lanes),
        "DARKROOM_MAX_WAITING_PER_KEY": str(plan.most_waiting),
    }
    temporary = tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True)
    opened = stand_in_side if stand_in else queue_side
    with temporary as folder, opened(Path(folder), environment=environment) as side:
        load = Load(side.url, plan, say)
        asyncio.run(load.run())
        return load


@contextmanager
def stand_in_side(folder: Path, *, environment: Mapping[str, str]) -> Iterator[Side]:
    """Redis and the API as they are, and in place of the worker one that only takes its time."""
    with queue_side(folder, environment=environment, without=("gpu", "cpu")) as side:
        settings = Settings(redis_url=f"unix://{folder / 'redis.sock'}?db=0", lanes=int(environment["DARKROOM_LANES"]))
        worker = StandIn(settings, MODEL, most_in_forward=MOST_IN_FORWARD)
        worker.start()
        try:
            yield side
        finally:
            worker.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimates", description=__doc__)
    parser.add_argument("--jobs", type=int, default=60, help="jobs of each part")
    parser.add_argument("--lanes", type=int, default=8, help="of the one worker")
    parser.add_argument("--most-waiting", type=int, default=40, help="jobs of a key before it gets 429")
    parser.add_argument(
        "--stand-in",
        action="store_true",
        help="a worker whose forwards are pauses, so that a busy machine does not show",
    )
    parser.add_argument("--quick", action="store_true", help="8 jobs a part, to see that it runs; writes no results")
    options = parser.parse_args()
    if options.quick:
        options.jobs, options.lanes, options.most_waiting = 8, 4, 6
    return options


if __name__ == "__main__":
    main()
