"""/healthz: this process lives. /readyz: it can serve, because what it needs answers."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import structlog
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.services import Services, ServicesDep
from darkroom.errors import Unavailable
from darkroom.job_store.redis_client import redis_errors
from darkroom.workers import WorkerInfo

router = APIRouter(tags=["health"])
log = structlog.get_logger()


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
def readyz(services: ServicesDep, response: Response) -> Readiness:
    """Workers are listed, but not asked for: without one, jobs wait in line."""
    checks = _run({"redis": _ping(services), "broker": services.wakeups.check, "storage": services.storage.check})
    workers = services.workers() if checks["redis"] == "ok" else []
    is_ready = all(result == "ok" for result in checks.values())
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = str(Unavailable.retry_after_s)
        log.warning("api.unready", **checks)
    return Readiness(
        status="ready" if is_ready else "unready",
        checks=checks,
        workers=dict(Counter(worker.kind for worker in workers)),
        models=_lanes(workers),
    )


def _ping(services: Services) -> Callable[[], None]:
    def ping() -> None:
        with redis_errors():
            services.redis.ping()

    return ping


def _run(checks: dict[str, Callable[[], None]]) -> dict[str, str]:
    """Side by side: with several parts down, the answer still comes within the time of the slowest."""

    def result(check: Callable[[], None]) -> str:
        try:
            check()
        except Unavailable as error:
            return error.code
        return "ok"

    with ThreadPoolExecutor(len(checks)) as pool:
        return dict(zip(checks, pool.map(result, checks.values()), strict=True))


def _lanes(workers: list[WorkerInfo]) -> dict[str, int]:
    lanes: Counter[str] = Counter()
    for worker in workers:
        lanes.update(dict.fromkeys(worker.models, worker.lanes))
    return dict(lanes)
