"""Why a queue, and not FastAPI's BackgroundTasks? The same jobs both ways: `python -m benchmarks.why_a_queue`."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.machine import this_machine
from benchmarks.pages import within_width
from benchmarks.side import Side, background_side, queue_side
from benchmarks.why_a_queue.measures import Measures, bodies, capacity, measure
from benchmarks.why_a_queue.report import PACKAGES, report

RESULTS = Path(__file__).parents[1] / "results"
SHARE_OF_CAPACITY = 0.8


def main() -> None:
    options = _options()
    started = os.getloadavg()[0]
    rounds = [asyncio.run(measure_round(options.jobs, options.steps)) for _ in range(options.rounds)]
    result = {
        "benchmark": "why_a_queue",
        "command": " ".join(["python -m benchmarks.why_a_queue", *sys.argv[1:]]),
        "machine": this_machine(PACKAGES, load_before=started),
        "jobs": options.jobs,
        "steps": options.steps,
        "rounds": [
            {"steady_rate_per_s": rate, **{name: asdict(side) for name, side in sides.items()}}
            for rate, sides in rounds
        ],
    }
    page = report(result, [sides for _, sides in rounds])
    if not options.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "why_a_queue.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "why_a_queue.md").write_text(within_width(page), encoding="utf-8")
    print(page)
    print(json.dumps(result))


async def measure_round(jobs: int, steps: int) -> tuple[float, dict[str, Measures]]:
    """Both sides, one after the other, under the same arrivals."""
    with _open(background_side) as side:
        rate = SHARE_OF_CAPACITY * await capacity(side, steps)
        background = await measure(side, bodies(jobs, steps), rate)
    with _open(queue_side) as side:
        await capacity(side, steps)  # for the warmth; both get the same arrivals
        queue = await measure(side, bodies(jobs, steps), rate)
    return rate, {"background": background, "queue": queue}


@contextmanager
def _open(side: Callable[[Path], AbstractContextManager[Side]]) -> Iterator[Side]:
    temporary = tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True)
    with temporary as folder, side(Path(folder)) as opened:
        yield opened


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=40, help="jobs of each part")
    parser.add_argument("--steps", type=int, default=20, help="denoising steps of each job")
    parser.add_argument("--rounds", type=int, default=1, help="how often all is measured")
    parser.add_argument(
        "--quick", action="store_true", help="6 jobs of 4 steps, to see that it runs; writes no results"
    )
    options = parser.parse_args()
    if options.quick:
        options.jobs, options.steps = 6, 4
    return options


if __name__ == "__main__":
    main()
