"""What operators see and do: lines, workers, running jobs, dead letters, keys. The page at `/ops` is made of these."""

from contextlib import suppress

from fastapi import APIRouter, Response

from api.keys import CallerDep
from api.operations.operators import OperatorDep
from api.operations.views import (
    KeyView,
    LineView,
    Me,
    Operations,
    Retried,
    dead_letter_view,
    line_view,
    running_view,
    worker_view,
)
from api.problems import responses
from api.routes.jobs import ALWAYS
from api.services import Services, ServicesDep
from darkroom.access.access import ANONYMOUS
from darkroom.errors import BrokerUnavailable
from darkroom.estimates.eta import crew_of, drain_s
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.job_store.key_use import last_uses
from darkroom.job_store.overview import Overview
from darkroom.job_store.presence import sightings
from darkroom.jobs import moment
from darkroom.upscaling import UPSCALER
from darkroom.workers import WorkerInfo

router = APIRouter(prefix="/admin", tags=["operations"])


@router.get("/me", summary="Is this key an operator's?", responses=responses("unauthorized"))
async def me(caller: CallerDep) -> Me:
    return Me(key=caller.name, is_operator=caller.is_admin)


@router.get("/operations", summary="See what waits, runs and died", responses=responses("operators_only", *ALWAYS))
def operations(owner: OperatorDep, services: ServicesDep) -> Operations:  # noqa: ARG001 - an operator is asked for
    overview = Overview(services.redis)
    seen, made = sightings(services.redis), overview.made_lately()
    settings = services.settings
    stored = {each.access.name: each.access for each in services.stored_keys.all() if not each.revoked_s}
    uses = last_uses(services.redis, settings)
    return Operations(
        at=moment(overview.now_ms()),
        lines=_lines(overview, services, [sighting.worker for sighting in seen]),
        workers=[worker_view(sighting, made[sighting.worker.name]) for sighting in seen],
        running=[running_view(job) for job in overview.running()],
        dead_letters=[dead_letter_view(letter) for letter in _dead_letters(services).all()],
        keys=[
            KeyView(
                name=name,
                last_used_at=uses.get(name),
                is_operator=stored[name].is_admin if name in stored else name in settings.admin_keys,
            )
            for name in dict.fromkeys([*uses, *stored])
            if name != ANONYMOUS
        ],
        flower_url=settings.flower_url,
    )


@router.post(
    "/dead/{job_id}/retry",
    summary="Put a dead letter's request in line again",
    responses=responses("operators_only", "unknown_job", "queue_full", *ALWAYS),
)
def retry(job_id: str, owner: OperatorDep, services: ServicesDep) -> Retried:  # noqa: ARG001
    job = _dead_letters(services).retry(job_id)
    # Without its wake-up the job still stands in line, and the housekeeper wakes a worker.
    with suppress(BrokerUnavailable):
        services.wakeups.wake(job.request.model, job.id)
    return Retried(id=job.id)


@router.delete(
    "/dead/{job_id}",
    status_code=204,
    summary="Take a dead letter off the list",
    responses=responses("operators_only", "unknown_job", *ALWAYS),
)
def drop(job_id: str, owner: OperatorDep, services: ServicesDep) -> Response:  # noqa: ARG001
    """The failed job itself stays until its owner deletes it, or the retention does."""
    _dead_letters(services).drop(job_id)
    return Response(status_code=204)


def _lines(overview: Overview, services: Services, workers: list[WorkerInfo]) -> list[LineView]:
    """Of the models that somebody serves or waits for."""
    views = []
    for model in (*services.catalogue, UPSCALER):
        line = overview.line(model)
        crew = crew_of(workers, model, services.settings.interactive_lanes)
        if crew.lanes or line.interactive or line.bulk:
            views.append(line_view(line, crew.lanes, drain_s(line.work, services.store.line_state(model), crew)))
    return views


def _dead_letters(services: Services) -> DeadLetters:
    return DeadLetters(services.redis, services.store)
