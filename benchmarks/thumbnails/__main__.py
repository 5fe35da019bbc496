"""How fast thumbnails are made, with one CPU worker and with more: `python -m benchmarks.thumbnails`.

Real worker processes over the local folder and the embedded server. All jobs have succeeded, and their messages wait,
before a worker starts; the clock runs from the first thumbnail to the last.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.machine import this_machine
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.jobs import StoredImage
from darkroom.local.embedded_redis import embedded_redis
from darkroom.messages.celery_app import make_app
from darkroom.messages.wakeups import Wakeups
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import Settings
from storage.keys import image_key
from storage.opening import open_storage

SIDE = 1024
DEADLINE_S = 300


def picture() -> bytes:
    """With detail, so that reading it costs what a picture costs."""
    buffer = BytesIO()
    Image.effect_mandelbrot((SIDE, SIDE), (-2, -1.5, 1, 1.5), 100).convert("RGB").save(buffer, "png")
    return buffer.getvalue()


def finish_jobs(client: Client, settings: Settings, jobs: int) -> None:
    store, claims, storage, data = (
        JobStore(client, settings),
        Claims(client, settings),
        open_storage(settings),
        picture(),
    )
    request = ImageRequest(
        model="minilab", prompt="a red circle", negative_prompt=None, width=SIDE, height=SIDE, steps=1, seed=1, n=1,
        guidance_scale=2.0, scheduler="dpmpp_2m", output_format=OutputFormat.PNG, priority=Priority.BULK,
    )  # fmt: skip
    for _ in range(jobs):
        store.enqueue("alice", request)
        job = claims.claim_next("minilab", "worker")
        if job is None:
            raise RuntimeError("A job was put in line, and none could be claimed.")
        key = image_key(job.id, 0, "png")
        storage.put(key, data, content_type="image/png")
        image = StoredImage(
            index=0, seed=1, key=key, content_type="image/png", width=SIDE, height=SIDE, bytes=len(data),
            sha256="0" * 64,
        )  # fmt: skip
        claims.succeed(job, [image])


def worker(number: int, settings: Settings) -> "subprocess.Popen[bytes]":
    arguments = ["-A", "cpu_worker.app", "--quiet", "worker", "--loglevel", "error", "-n", f"cpu-{number}@benchmark"]
    mine = {"DARKROOM_REDIS_URL": settings.redis_url, "DARKROOM_DATA_DIR": str(settings.data_dir)}
    return subprocess.Popen(
        [sys.executable, "-m", "celery", *arguments], env={**os.environ, **mine}, stdout=subprocess.DEVNULL
    )


def thumbnails_a_second(client: Client, jobs: int) -> float:
    """Raises TimeoutError."""
    began_s, left_at_first, until_s = 0.0, jobs, time.monotonic() + DEADLINE_S
    while left := int(client.zcard(keys.FOLLOWUPS())):
        now_s = time.monotonic()
        if now_s > until_s:
            raise TimeoutError(f"{left} thumbnails were not made within {DEADLINE_S} s.")
        if not began_s and left < jobs:
            began_s, left_at_first = now_s, left
        time.sleep(0.01)
    return left_at_first / (time.monotonic() - began_s)


def measure(jobs: int, workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder, embedded_redis(Path(folder)) as url, connect(url) as client:
        settings = Settings(redis_url=url, data_dir=Path(folder) / "data")
        finish_jobs(client, settings, jobs)
        wakeups = Wakeups(make_app(settings))
        for job_id in client.zrange(keys.FOLLOWUPS(), 0, -1):
            wakeups.follow_up(job_id)
        processes = [worker(number, settings) for number in range(workers)]
        try:
            return thumbnails_a_second(client, jobs)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    machine = this_machine(["celery", "pillow"], os.getloadavg()[0])
    rates = {workers: round(measure(options.jobs, workers), 1) for workers in options.workers}
    print(json.dumps({"machine": machine, "jobs": options.jobs, "thumbnails_a_second_by_workers": rates}))


if __name__ == "__main__":
    main()
