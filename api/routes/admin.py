"""What operators see and do: lines, workers, running jobs, dead letters, keys. The page at `/ops` is made of these."""

from collections.abc import Iterator
from contextlib import suppress

from fastapi import APIRouter, Response

from api.keys import CallerDep
from api.operations.operators import OperatorDep
from api.operations.views import (
    KeyView,
    LineView,
    Me,
    Operations,
    OwedWebhookView,
    Retried,
    dead_letter_view,
    key_view,
    line_view,
    owed_webhook_view,
    running_view,
    worker_view,
)
from api.problems import responses
from api.routes.jobs import ALWAYS
from api.services import Services, ServicesDep
from darkroom.access.access import ANONYMOUS, configured_access
from darkroom.errors import BrokerUnavailable
from darkroom.estimates.eta import crew_of, drain_s
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.job_store.key_use import last_uses
from darkroom.job_store.overview import Overview
from darkroom.job_store.presence import sightings
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.jobs import moment
from darkroom.upscaling import UPSCALER
from darkroom.workers import WorkerInfo

WEBHOOKS_SHOWN = 20

router = APIRouter(prefix="/admin", tags=["operations"])


@router.get("/me", summary="Is this key an operator's?", responses=responses("unauthorized"))
async def me(caller: CallerDep) -> Me:
    return Me(key=caller.name, is_operator=caller.is_admin)


@router.get("/operations", summary="See what waits, runs and died", responses=responses("operators_only", *ALWAYS))
def operations(owner: OperatorDep, services: ServicesDep) -> Operations:  # noqa: ARG001 - an operator is asked for
    overview = Overview(services.redis)
    seen, made = sightings(services.redis), overview.made_lately()
    owed, webhooks = _webhooks(services)
    return Operations(
        at=moment(overview.now_ms()),
        lines=_lines(overview, services, [sighting.worker for sighting in seen]),
        workers=[worker_view(sighting, made[sighting.worker.name]) for sighting in seen],
        running=[running_view(job) for job in overview.running()],
        dead_letters=[dead_letter_view(letter) for letter in _dead_letters(services).all()],
        keys=list(_keys(services)),
        webhooks_owed=owed,
        webhooks=webhooks,
        flower_url=services.settings.flower_url,
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


def _keys(services: Services) -> Iterator[KeyView]:
    settings = services.settings
    stored = {each.access.name: each.access for each in services.stored_keys.all() if not each.revoked_s}
    uses = last_uses(services.redis, settings)
    for name in dict.fromkeys([*uses, *stored]):
        if name == ANONYMOUS:
            continue
        access = stored[name].with_defaults(settings) if name in stored else configured_access(name, settings)
        [*today] = services.usage.days(name, 1)
        yield key_view(access, uses.get(name), today[0].total if today else None)


def _webhooks(services: Services) -> tuple[int, list[OwedWebhookView]]:
    deliveries = Deliveries(services.redis)
    owed, following = deliveries.waiting(WEBHOOKS_SHOWN)
    return owed, [owed_webhook_view(each, due_ms, deliveries.url_of(each.job_id)) for each, due_ms in following]


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
