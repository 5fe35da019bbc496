"""How fast old jobs go, and whether the last go as fast as the first: `python -m benchmarks.retention`.

One CPU worker's retention over the local folder and the embedded server. Each job has an image and a thumbnail of a
few bytes: what is measured is the removal of records, files and folders, whatever is in them.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from benchmarks.machine import this_machine
from cpu_worker.retention import JOBS_A_SLICE, MOST_SLICES_A_ROUND, Retention
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.local.embedded_redis import embedded_redis
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import Settings
from storage.keys import image_key, thumbnail_key
from storage.opening import open_storage

REQUEST = ImageRequest(
    model="minilab", prompt="a red circle on a white background", negative_prompt=None, width=128, height=128, steps=20,
    guidance_scale=2.0, seed=1, n=1, scheduler="dpmpp_2m", output_format=OutputFormat.PNG, priority=Priority.BULK,
)  # fmt: skip
JOBS_A_ROUND = JOBS_A_SLICE * MOST_SLICES_A_ROUND
# What takes Redis longer is found in its own log.
LONG_US = 500


def make_old_jobs(client: Client, settings: Settings, jobs: int) -> None:
    store, claims = JobStore(client, settings), Claims(client, settings)
    for number in range(jobs):
        store.enqueue(f"owner-{number % 20}", REQUEST)
        job = claims.claim_next("minilab", "worker")
        if job is None:
            raise RuntimeError("A job was put in line, and none could be claimed.")
        claims.succeed(job, [])
        client.zadd(keys.FINAL(), {job.id: number})
        for key in (image_key(job.id, 0, "png"), thumbnail_key(job.id, 0)):
            path = settings.images_dir / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"pixels")


def remove(client: Client, settings: Settings) -> list[float]:
    """Seconds of each round, until nothing is left."""
    retention = Retention(Upkeep(client, settings), JobStore(client, settings), open_storage(settings))
    took_s = []
    while client.zcard(keys.FINAL()):
        began = time.monotonic()
        retention.remove_old_jobs()
        took_s.append(time.monotonic() - began)
    return took_s


def measure(folder: Path, url: str, jobs: int) -> dict[str, object]:
    settings = Settings(redis_url=url, data_dir=folder / "data")
    with connect(url) as client:
        make_old_jobs(client, settings, jobs)
        client.config_set("slowlog-log-slower-than", LONG_US)
        client.config_set("slowlog-max-len", 10_000)
        client.slowlog_reset()
        took_s = remove(client, settings)
        slow = client.slowlog_get(10_000)
    return {
        "jobs": jobs,
        "jobs_a_round": JOBS_A_ROUND,
        "jobs_a_second_by_round": [round(JOBS_A_ROUND / round_s) for round_s in took_s],
        "longest_redis_command_ms": max((entry["duration"] for entry in slow), default=0) / 1000,
        "folders_left": len(list((settings.images_dir / "jobs").iterdir())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help=f"a multiple of {JOBS_A_ROUND}")
    jobs = parser.parse_args().jobs
    machine = this_machine(["redis"], os.getloadavg()[0])
    with tempfile.TemporaryDirectory() as folder, embedded_redis(Path(folder)) as url:
        print(json.dumps({"machine": machine, **measure(Path(folder), url, jobs)}))


if __name__ == "__main__":
    main()
