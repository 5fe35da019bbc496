"""How long a short interactive job takes on an idle worker, and on one filled with long bulk jobs. Darkroom only."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.clients import FINAL, DarkroomClient
from benchmarks.figures import percentile
from benchmarks.work import Work, equal_works

SHORT_STEPS = 4
LONG_STEPS = 50
PAUSE_S = 0.3
FILL_WITHIN_S = 60


@dataclass(frozen=True)
class Interruption:
    """`queued_ms`: from accepted to lane starts on the idle worker, by the job's own record."""

    samples: int
    idle_p50_s: float
    idle_p95_s: float
    busy_p50_s: float
    busy_p95_s: float
    queued_p50_ms: float


async def interrupt(client: DarkroomClient, samples: int, bulk_jobs: int) -> Interruption:
    """`bulk_jobs` must be more than are made meanwhile; what is left of them is canceled."""
    works = equal_works(samples, SHORT_STEPS)
    idle, queued = await _one_after_another(client, works)
    bulk = [(await client.post(work, "bulk"))["id"] for work in equal_works(bulk_jobs, LONG_STEPS)]
    try:
        await _until_running(client, bulk)
        busy, _ = await _one_after_another(client, works)
        if (await client.read(bulk[-1]))["status"] in FINAL:
            raise RuntimeError(f"{bulk_jobs} bulk jobs were too few: they were done before the last sample.")
    finally:
        for job_id in reversed(bulk):
            await client.cancel(job_id)
    return Interruption(
        samples,
        idle_p50_s=percentile(idle, 0.50),
        idle_p95_s=percentile(idle, 0.95),
        busy_p50_s=percentile(busy, 0.50),
        busy_p95_s=percentile(busy, 0.95),
        queued_p50_ms=percentile(queued, 0.50) * 1000,
    )


async def _one_after_another(client: DarkroomClient, works: Sequence[Work]) -> tuple[list[float], list[float]]:
    """Seconds until each image was here, and of those until its lane started."""
    latencies, queued = [], []
    for work in works:
        start = time.perf_counter()
        job = await client.finished(work)
        await client.image(job)
        latencies.append(time.perf_counter() - start)
        queued.append(float(job["timings"]["queued_s"]))
        await asyncio.sleep(PAUSE_S)  # thumbnails and the like are done
    return latencies, queued


async def _until_running(client: DarkroomClient, bulk: Sequence[str]) -> None:
    """Until the first is half done: by then every lane has taken one. Raises TimeoutError."""
    async with asyncio.timeout(FILL_WITHIN_S):
        while True:
            progress = (await client.read(bulk[0]))["progress"]
            if progress and progress["step"] >= LONG_STEPS // 2:
                return
            await asyncio.sleep(0.05)
