"""GET /jobs/{id}/events: what happens to a job, as server-sent events that can be resumed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.keys import OwnerDep
from api.openapi.server_events import event_stream
from api.own_jobs import own_job
from api.problems import responses
from api.routes.jobs import ALWAYS
from api.services import Services, ServicesDep
from api.views import job_view
from darkroom.errors import Fault, InvalidRequest, RedisUnavailable, UnknownJob
from darkroom.job_store.events import EVENT_ID, FINAL, FIRST, Event
from darkroom.jobs import Job, JobState

router = APIRouter(prefix="/jobs", tags=["jobs"])
log = structlog.get_logger()

RECONNECT_MS = 2000
PING_S = 15

KINDS = FINAL | {"queued", "started", "step", "preview"}
EXAMPLE = """event: queued
data: {"queue_position": 2, "eta_s": 1.4, "notice": null, "attempt": 0}

id: 1795338011851-0
event: started
data: {"attempt": 1, "at_ms": 1795338011851}

id: 1795338011902-0
event: step
data: {"step": 1, "steps": 20, "at_ms": 1795338011902}

event: preview
data: {"step": 10, "steps": 20, "images": ["data:image/webp;base64,UklGRp4…"], "at_ms": 1795338012180}

id: 1795338012433-0
event: succeeded
data: {"images": 1, "at_ms": 1795338012433}
"""


@router.get(
    "/{job_id}/events",
    summary="Watch a job",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "`queued` (again whenever its place changes), `started`, `step`, then one of `succeeded`, "
            "`failed`, `canceled`, after which the stream ends. A lost worker's job is `queued` again. With "
            "`preview_every`, also `preview`: the newest only, and without an id.",
            "content": event_stream(KINDS, EXAMPLE),
        },
        204: {"description": "`Last-Event-ID` was the job's last event: there is nothing more to come."},
        **responses("unknown_job", "invalid_field", *ALWAYS),
    },
)
async def watch_job(
    job_id: str,
    owner: OwnerDep,
    services: ServicesDep,
    last_event_id: Annotated[
        str,
        Header(
            description="`id` of the last event you have; those behind it follow.",
            json_schema_extra={"pattern": f"^({EVENT_ID.pattern})?$"},
        ),
    ] = "",
) -> Response:
    if last_event_id and not EVENT_ID.fullmatch(last_event_id):
        message = "Last-Event-ID is not the id of an event from here. Leave it out to get all events."
        raise InvalidRequest([Fault("Last-Event-ID", "invalid_field", message)])
    job = await run_in_threadpool(own_job, job_id, owner, services)
    if last_event_id and job.state.is_final and not await services.feed.read(job.id, last_event_id):
        # A browser's EventSource reconnects after a stream's end unless it is told 204.
        return Response(status_code=204)
    return EventSourceResponse(
        _stream(job, last_event_id, services),
        ping=PING_S,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(job: Job, after: str | None, services: Services) -> AsyncIterator[ServerSentEvent]:
    """Ends when the job does, when it is deleted, or with Redis: clients then reconnect and resume."""
    try:
        with services.feed.watch(job.id) as changed:
            async for event in _events(job, after, changed, services):
                yield event
    except (RedisUnavailable, UnknownJob) as error:
        log.info("events.stream_ended", job_id=job.id, code=error.code)


async def _events(
    job: Job, after: str | None, changed: asyncio.Event, services: Services
) -> AsyncIterator[ServerSentEvent]:
    # A fresh watcher first hears of the job's place, which is not kept as an event.
    place = {} if after else await _place(job, services)
    if place:
        yield _sent("queued", place)
    last_id, preview_id = after or FIRST, FIRST
    while True:
        events = await services.feed.read(job.id, last_id)
        if not events:
            job = await run_in_threadpool(services.store.get, job.id)
            # It may have ended since we looked, and its last event must not be missed.
            events = await services.feed.read(job.id, last_id) if job.state.is_final else []
            if job.state.is_final and not events:
                return  # the last event was the one to resume behind
        for event in events:
            last_id = event.id
            yield _sent(event.type, event.data, event.id)
            if event.is_final:
                return
        if preview := await _preview(job, preview_id, services):
            preview_id = preview.id
            # Without its id: that says nothing about where to go on among the events.
            yield _sent(preview.type, preview.data)
        if not events:
            before, place = place, await _place(job, services)
            if place and place != before:
                if await services.feed.read(job.id, last_id):
                    # Put back between the two looks: its event, which says why, comes first.
                    place = before
                    continue
                yield _sent("queued", place)
        await services.feed.wait(changed)


async def _preview(job: Job, after: str, services: Services) -> Event | None:
    return await services.feed.preview(job.id, after) if job.request.preview_every else None


async def _place(job: Job, services: Services) -> dict[str, Any]:
    """What `queued` says; empty once the job has left the line."""
    if job.state is not JobState.QUEUED:
        return {}
    view = await run_in_threadpool(lambda: job_view(job, services, services.workers()))
    if view.queue_position is None:  # it was claimed just now
        return {}
    return view.model_dump(mode="json", include={"queue_position", "eta_s", "notice", "attempt"})


def _sent(kind: str, data: dict[str, Any], event_id: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data), event=kind, id=event_id, retry=RECONNECT_MS)
