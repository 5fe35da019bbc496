"""`make soak`: a steady load for a long time, and whether memory, connections and queues stay flat meanwhile."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from darkroom.job_store import keys
from darkroom.job_store.redis_client import connect
from darkroom.messages.opening import open_wakeups
from tests.chaos.assembly import running_service
from tests.chaos.service import Service
from tests.soak.guests import Guests
from tests.soak.reading import Reading, of_broker, of_process, of_redis
from tests.soak.report import Outcome, last_line, table, trends

PROCESSES = ("api", "gpu-1", "cpu")
READY_WITHIN_S = 300
# What is kept of a job is removed after this, so that what is kept of all jobs stays the same.
SETTINGS = {"DARKROOM_RETENTION_S": "60", "DARKROOM_LEASE_S": "15", "DARKROOM_HOUSEKEEPING_PERIOD_S": "2"}


def main() -> int:
    arguments = _parser().parse_args()
    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        del os.environ[name]
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    folder = Path(tempfile.mkdtemp(prefix="darkroom-soak-")).resolve()
    print(f"logs in {folder}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    return asyncio.run(_soak(arguments, folder))


async def _soak(arguments: argparse.Namespace, folder: Path) -> int:
    async with running_service(folder, arguments.broker, without=("gpu-2",), **SETTINGS) as service:
        await _ready(service)
        guests = Guests(service.url, arguments.seed)
        times: list[float] = []
        readings: list[Reading] = []
        reader = asyncio.create_task(_read(service, arguments.every, times, readings))
        await guests.come(arguments.each, arguments.minutes * 60)
        reader.cancel()
        ended = [name for name in PROCESSES if service.parts[name].process.has_ended]
    outcome = Outcome(times, trends(times, readings, arguments.warm_up * 60), guests, ended)
    print(f"\n{table(outcome)}\n{last_line(outcome)}")
    return 0 if outcome.is_spotless() else 1


async def _ready(service: Service) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    with connect(service.settings.redis_url) as client:
        while client.hlen(keys.WORKERS()) < 2:
            if time.monotonic() > deadline:
                raise TimeoutError("The workers did not come up; see their logs.")
            await asyncio.sleep(0.5)


async def _read(service: Service, every_s: float, times: list[float], readings: list[Reading]) -> None:
    began = time.monotonic()
    wakeups = open_wakeups(service.settings)
    with connect(service.settings.redis_url) as client:
        while True:
            processes = [of_process(name, service.parts[name].process.pid) for name in PROCESSES]
            reading: Reading = {name: value for each in processes for name, value in each.items()}
            reading |= await asyncio.to_thread(of_redis, client)
            reading |= await asyncio.to_thread(of_broker, wakeups)
            times.append(time.monotonic() - began)
            readings.append(reading)
            await asyncio.sleep(every_s)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--warm-up", type=float, default=6, help="minutes at the start that do not count")
    parser.add_argument("--each", type=float, default=1, help="mean seconds between two clients")
    parser.add_argument("--every", type=float, default=10, help="seconds between two readings")
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
