"""A job as the events that OpenAI's clients read: partial images as it is drawn, then finished ones, or an error.

Between them come comments, by which a proxy or a client knows that the connection lives.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import structlog
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Message

from api.error_codes import HTTP_STATUS
from api.openai.answers import completed, looks
from api.openai.body import ImagesBody
from api.openai.endings import client_left, failure_of, status_of
from api.openai.errors import error_object
from api.services import Services
from darkroom.errors import DarkroomError
from darkroom.job_store.events import FIRST, Event
from darkroom.jobs import Job
from darkroom.request import OutputFormat

log = structlog.get_logger()

PING_S = 15


def stream_of(
    job: Job, body: ImagesBody, kind: str, services: Services, *, ends_with_client: bool, headers: dict[str, str]
) -> EventSourceResponse:
    """`kind` is what the events' types begin with."""

    async def left(_: Message) -> None:
        await client_left(job, services, cancels=ends_with_client)

    return EventSourceResponse(
        _events(job, body, kind, services),
        ping=PING_S,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers},
        client_close_handler_callable=left,
    )


async def _events(job: Job, body: ImagesBody, kind: str, services: Services) -> AsyncIterator[ServerSentEvent]:
    try:
        with services.feed.watch(job.id, only_the_end=not body.partials) as changed:
            async for event in _until_final(job, body, kind, changed, services):
                yield event
        job = await run_in_threadpool(services.store.get, job.id)
        if failure := failure_of(job):
            yield _error(status_of(failure), failure.code, failure.message)
            return
        for index in range(len(job.images)):
            said = await run_in_threadpool(completed, job, index, body, services)
            yield _sent(f"{kind}.completed", said)
    except DarkroomError as error:
        log.info("openai.stream_broke_off", job_id=job.id, code=error.code)
        yield _error(HTTP_STATUS.get(error.code, 500), error.code, error.message)


async def _until_final(
    job: Job, body: ImagesBody, kind: str, changed: asyncio.Event, services: Services
) -> AsyncIterator[ServerSentEvent]:
    """Partial images, as they come."""
    preview_id, shown = FIRST, 0
    while True:
        preview = await services.feed.preview(job.id, preview_id) if shown < body.partials else None
        if preview:
            preview_id = preview.id
            for said in await run_in_threadpool(_partials, preview, job, body):
                yield _sent(f"{kind}.partial_image", said | {"partial_image_index": shown})
            shown += 1
        job = await run_in_threadpool(services.store.get, job.id)
        if job.state.is_final:
            return
        await services.feed.wait(changed)


def _partials(preview: Event, job: Job, body: ImagesBody) -> list[dict[str, Any]]:
    """One for each image of the job, in the format that was asked for, and of the size that it says."""
    partials = []
    for index, picture in enumerate(preview.data["images"]):
        pixels, size = _redrawn(picture, job.request.output_format)
        created = {"created_at": preview.data["at_ms"] // 1000, "image_index": index}
        partials.append({"b64_json": pixels} | created | looks(job, body) | {"size": size})
    return partials


def _redrawn(picture: str, output_format: OutputFormat) -> tuple[str, str]:
    """From a `data:` URL of WebP to base64 of another format, and its size."""
    from PIL import Image  # only where somebody watches

    data = picture.partition(",")[2]
    with Image.open(BytesIO(base64.b64decode(data))) as image:
        size = f"{image.width}x{image.height}"
        if output_format is OutputFormat.WEBP:
            return data, size
        buffer = BytesIO()
        image.convert("RGB").save(buffer, output_format.value)
    return base64.b64encode(buffer.getvalue()).decode(), size


def _sent(kind: str, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps({"type": kind} | data), event=kind)


def kinds(of: str) -> tuple[str, ...]:
    """Of the events of a stream: `of` is `image_generation` or `image_edit`."""
    return (f"{of}.partial_image", f"{of}.completed", "error")


def _error(status: int, code: str, message: str) -> ServerSentEvent:
    return ServerSentEvent(json.dumps({"type": "error"} | error_object(status, code, message)), event="error")
