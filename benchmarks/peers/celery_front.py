"""The web process before the Celery worker: sends a task, and waits in Redis for its image, without polling."""

from dataclasses import asdict
from uuid import uuid4

import redis.asyncio
from fastapi import FastAPI, HTTPException, Response
from fastapi.concurrency import run_in_threadpool

from benchmarks.peers.celery_worker import ASSIGNMENT, KEEP_S, draw
from benchmarks.work import Work

app = FastAPI()
# Each request that waits has a connection of its own; redis-py's own limit is 100.
images = redis.asyncio.Redis(unix_socket_path=ASSIGNMENT.redis_socket, socket_timeout=None, max_connections=10_000)


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.post("/draw")
async def draw_image(work: Work) -> Response:
    job_id = uuid4().hex
    await run_in_threadpool(draw.delay, job_id, asdict(work))
    found = await images.blpop([f"image:{job_id}"], timeout=KEEP_S)
    if found is None:
        raise HTTPException(504)
    return Response(found[1], media_type="image/png")
