"""/healthz: this process lives. /readyz: it can serve, because what it needs answers."""

from collections import Counter
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from api.services import ServicesDep
from darkroom.errors import RedisUnavailable, Unavailable
from darkroom.workers import WorkerInfo

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: Literal["ok"] = Field(default="ok", examples=["ok"])


class Readiness(BaseModel):
    status: Literal["ready", "unready"] = Field(examples=["ready"])
    checks: dict[str, str] = Field(examples=[{"redis": "ok", "broker": "ok", "storage": "ok"}])
    workers: dict[str, int] = Field(description="Live workers of each kind.", examples=[{"gpu": 1, "cpu": 1}])
    models: dict[str, int] = Field(description="Lanes that serve each model.", examples=[{"minilab": 1}])


@router.get("/healthz", summary="Is this process alive?")
async def healthz() -> Health:
    return Health()


@router.get(
    "/readyz",
    summary="Can this process serve?",
    responses={503: {"model": Readiness, "description": "Something it needs does not answer; `checks` says what."}},
)
async def readyz(services: ServicesDep, response: Response) -> Readiness:
    """Workers are listed, but not asked for: without one, jobs wait in line. `checks` may be some seconds old."""
    checks = await services.health.results()
    workers: list[WorkerInfo] = []
    try:
        if checks["redis"] == "ok":
            workers = await run_in_threadpool(services.workers)
    except RedisUnavailable as error:
        checks["redis"] = error.code
    is_ready = all(result == "ok" for result in checks.values())
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = str(Unavailable.retry_after_s)
    return Readiness(
        status="ready" if is_ready else "unready",
        checks=checks,
        workers=dict(Counter(worker.kind for worker in workers)),
        models=_lanes(workers),
    )


def _lanes(workers: list[WorkerInfo]) -> dict[str, int]:
    lanes: Counter[str] = Counter()
    for worker in workers:
        lanes.update({model: worker.lanes_for(model) for model in worker.models})
    return dict(lanes)
