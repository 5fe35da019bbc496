"""What a waiting job takes of Redis's memory: `python -m benchmarks.waiting_job`, with each server that is found.

The wake-up is not in it: that is the broker's, and may be another server's.
"""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.local.embedded_redis import embedded_redis, redis_binary
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import Settings

OWNERS = 20


def servers() -> Iterator[str]:
    """The embedded one, and a redis-server of the PATH."""
    yield redis_binary()
    if (other := shutil.which("redis-server")) and other != redis_binary():
        yield other


def wish(number: int) -> ImageRequest:
    return ImageRequest(
        model="minilab", prompt=f"a red circle and {number} blue stars on a white background", negative_prompt=None,
        width=128, height=128, steps=20, guidance_scale=2.0, seed=number, n=1, scheduler="dpmpp_2m",
        output_format=OutputFormat.PNG, priority=Priority.BULK,
    )  # fmt: skip


def bytes_a_job(client: Client, settings: Settings, jobs: int) -> float:
    store = JobStore(client, settings)
    # What the first job of a line brings along (scripts, the line itself) is no job's.
    store.enqueue("first", wish(0))
    before = client.info("memory")["used_memory"]
    for number in range(jobs):
        store.enqueue(f"owner-{number % OWNERS}", wish(number))
    return float(client.info("memory")["used_memory"] - before) / jobs


def measure(binary: str, jobs: int) -> str:
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder, embedded_redis(Path(folder), binary) as url, connect(url) as client:
        settings = Settings(redis_url=url, max_waiting_per_model=jobs + 1, max_waiting_per_key=jobs)
        return f"{bytes_a_job(client, settings, jobs):,.0f} bytes a waiting job, of {jobs:,}: {version.strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    jobs = parser.parse_args().jobs
    for binary in servers():
        print(measure(binary, jobs), flush=True)


if __name__ == "__main__":
    main()
