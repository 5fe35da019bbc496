"""Puts small faults into the parts that must not fail, one at a time, and counts those that a test notices.

`python -m tests.mutants --seed 2` draws others; `--only claim.lua` those of one file. No kept tester that we know of
speaks Lua, and half of what must not fail is written in it.
"""

import argparse
import importlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.equivalent import without_equivalent
from tests.mutants.fault import Fault
from tests.mutants.rounds import baselines, notice
from tests.mutants.sandbox import Sandbox
from tests.mutants.targets import ROOT, all_faults

LEAST = 0.97
# Imported once, before the processes part: what takes longer than many of the tests.
HEAVY = (
    "hypothesis.strategies", "fastapi", "httpx", "celery.app.amqp", "kombu.transport.redis", "redis.asyncio", "uvicorn",
    "sse_starlette", "pydantic_settings", "boto3", "PIL.Image", "torch", "transformers.models.clip.modeling_clip",
    "diffusers.schedulers.scheduling_dpmsolver_multistep",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="a part of a fault as it is printed, such as claim.lua:6")
    options = parser.parse_args()
    faults = [fault for fault in without_equivalent(all_faults(ROOT)) if options.only in str(fault)]
    sys.exit(run(draw(faults, options.count, options.seed), options.jobs))


def draw(faults: list[Fault], count: int, seed: int) -> list[Fault]:
    return random.Random(seed).sample(faults, min(count, len(faults)))


def run(faults: list[Fault], jobs: int) -> int:
    began_s = time.monotonic()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in HEAVY:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        sandboxes = [Sandbox(Path(folder) / str(number)) for number in range(min(jobs, len(faults)))]
        try:
            survived = notice(faults, sandboxes, baselines(faults, sandboxes))
        finally:
            for sandbox in sandboxes:
                sandbox.stop()
    for fault in survived:
        print(f"SURVIVED {fault}")
    noticed = len(faults) - len(survived)
    print(f"In {time.monotonic() - began_s:.0f} s\n{noticed} of {len(faults)} noticed")
    return exit_status(noticed, len(faults))


def exit_status(noticed: int, count: int) -> int:
    return 0 if noticed >= LEAST * count else 1


if __name__ == "__main__":
    main()
