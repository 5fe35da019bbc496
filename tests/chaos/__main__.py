"""`make chaos`: a service is hurt again and again under load, and an oracle says whether it kept its word."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.alone import Pixels, drawn_alone
from tests.chaos.pool import POOL
from tests.chaos.report import last_line, table
from tests.chaos.run import Options, Result, run


def main() -> int:
    arguments = _parser().parse_args()
    # What this shell is set up for is not for the service that is hurt here.
    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        del os.environ[name]
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    brokers = ["redis", "rabbitmq"] if arguments.broker == "both" else [arguments.broker]
    options = Options(
        arguments.jobs, arguments.faults, arguments.seconds, arguments.seed, arguments.poison, arguments.outage
    )
    folder = Path(arguments.logs or tempfile.mkdtemp(prefix="darkroom-chaos-")).resolve()
    print(f"logs in {folder}; seed {options.seed}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    alone = drawn_alone(POOL)
    results: dict[str, Result] = {}
    for broker in brokers:
        results[broker] = asyncio.run(_run(broker, options, alone, folder / broker))
        print(f"\n{broker}\n{table(results[broker])}", flush=True)
    print(last_line(results))
    return 0 if all(result.is_spotless() for result in results.values()) else 1


async def _run(broker: str, options: Options, alone: Sequence[Sequence[Pixels]], folder: Path) -> Result:
    """Like Ctrl-C, SIGTERM leaves nothing running."""
    task = asyncio.ensure_future(run(broker, options, alone, folder))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=800, help="orders, on each broker")
    parser.add_argument("--faults", type=int, default=60, help="on each broker")
    parser.add_argument("--poison", type=int, default=2, help="orders among them that kill their workers")
    parser.add_argument(
        "--outage", type=float, default=60, help="seconds for which Redis and the broker are stopped first"
    )
    parser.add_argument("--seconds", type=float, default=600, help="how long load and faults last")
    parser.add_argument("--seed", type=int, default=1, help="the same seed hurts the same parts at the same times")
    parser.add_argument("--broker", choices=("redis", "rabbitmq", "both"), default="both")
    parser.add_argument("--logs", help="folder for the logs of all processes; default: a new temporary one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
