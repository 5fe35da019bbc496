"""POST /v1/images/generations and /edits: OpenAI's clients ask for a job like any other, and wait for it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from api.admission.admit import ADMISSION_CODES, admit
from api.admission.asker import Asker, AskerDep
from api.admission.cancel_after import cancel_after_s, earlier
from api.inputs.inputs import NO_PARTS
from api.openai.answers import ImagesAnswer, answer_of
from api.openai.body import ImagesBody, in_their_words, native
from api.openai.endings import client_left, end_of, ends_with_client, failure_of, status_of
from api.openai.errors import error_object, responses
from api.openai.form import read_edit
from api.openai.stream import kinds, stream_of
from api.openapi.server_events import event_stream
from api.services import Services, ServicesDep
from darkroom.errors import InvalidRequest
from darkroom.jobs import Failure, Job
from darkroom.request import GenerateBody

router = APIRouter(prefix="/v1/images", tags=["openai"])

EXAMPLE = """event: image_generation.partial_image
data: {"type": "image_generation.partial_image", "b64_json": "iVBORw0…", "partial_image_index": 0, "size": "128x128"}

event: image_generation.completed
data: {"type": "image_generation.completed", "b64_json": "iVBORw0KGgo…", "size": "128x128", "usage": {}}
"""
CODES = (*ADMISSION_CODES, "object_missing")
FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "required": ["image", "prompt"],
        "properties": {
            "image": {"type": "array", "items": {"type": "string", "format": "binary"}},
            "mask": {"type": "string", "format": "binary"},
            "prompt": {"type": "string"},
        },
    }
}
# Nobody hears it.
CLIENT_GONE = 499

IdempotencyKey = Annotated[
    str | None, Header(description="As for `POST /generate`. The clients send none by themselves.")
]
CancelAfter = Annotated[str | None, Header(description="As for `POST /generate`.")]


@router.post(
    "/generations",
    summary="Ask for images, as OpenAI's clients do",
    response_model=ImagesAnswer,
    response_model_exclude_none=True,
    responses={
        200: {
            "description": "The images; with `stream`, events.",
            "content": event_stream(kinds("image_generation"), EXAMPLE),
        },
        **responses(*CODES),
    },
)
async def generations(
    body: ImagesBody,
    request: Request,
    asker: AskerDep,
    services: ServicesDep,
    background: BackgroundTasks,
    idempotency_key: IdempotencyKey = None,
    cancel_after: CancelAfter = None,
) -> Response:
    """Each call is a job: see it at `GET /jobs/{job_id}`, watch it, and cancel it. It ends with the connection."""
    wanted = native(body, services.catalogue, services.settings)
    job = await _admitted(wanted, asker, services, idempotency_key, cancel_after)
    background.add_task(services.note_key_use, asker.name)
    return await _respond(job, body, "image_generation", request, services, idempotency_key)


@router.post(
    "/edits",
    summary="Ask for images made of others, as OpenAI's clients do",
    response_model=ImagesAnswer,
    response_model_exclude_none=True,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": FORM}}},
    responses={
        200: {
            "description": "The images; with `stream`, events, whose types begin with `image_edit`.",
            "content": event_stream(kinds("image_edit"), EXAMPLE.replace("image_generation", "image_edit")),
        },
        **responses(*CODES, "malformed_form"),
    },
)
async def edits(
    request: Request,
    asker: AskerDep,
    services: ServicesDep,
    background: BackgroundTasks,
    idempotency_key: IdempotencyKey = None,
    cancel_after: CancelAfter = None,
) -> Response:
    """`image`, or several as `image[]`; with a `mask`, what is transparent in it is redrawn. Fields as elsewhere."""
    edit = await read_edit(request)
    pictures = {"image": list(edit.names), "mask": edit.mask, "strength": edit.body.strength, "fit": edit.body.fit}
    wanted = native(edit.body, services.catalogue, services.settings, **pictures)
    job = await _admitted(wanted, asker, services, idempotency_key, cancel_after, edit.parts)
    background.add_task(services.note_key_use, asker.name)
    return await _respond(job, edit.body, "image_edit", request, services, idempotency_key)


async def _admitted(
    wanted: GenerateBody,
    asker: Asker,
    services: Services,
    idempotency_key: str | None,
    cancel_after: str | None,
    parts: Mapping[str, bytes] = NO_PARTS,
) -> Job:
    wanted = wanted.model_copy(update={"deadline_s": earlier(wanted.deadline_s, cancel_after_s(cancel_after))})
    try:
        return (await admit(wanted, asker, services, idempotency_key=idempotency_key or "", parts=parts)).job
    except InvalidRequest as error:
        raise in_their_words(error) from error


async def _respond(
    job: Job, body: ImagesBody, kind: str, request: Request, services: Services, idempotency_key: str | None
) -> Response:
    """When the job has ended, or at once with a stream."""
    ends = ends_with_client(body, idempotency_key)
    headers = {"X-Job-ID": job.id, "Location": f"{services.settings.public_base_url}/jobs/{job.id}"}
    if body.stream:
        return stream_of(job, body, kind, services, ends_with_client=ends, headers=headers)
    ended = await end_of(job, request, services)
    if ended is None:
        await client_left(job, services, cancels=ends)
        return Response(status_code=CLIENT_GONE)
    if failure := failure_of(ended):
        return _failed(failure, headers)
    answer = await run_in_threadpool(answer_of, ended, body, services)
    return JSONResponse(answer.model_dump(exclude_none=True), headers=headers)


def _failed(failure: Failure, headers: dict[str, str]) -> Response:
    """The job was tried as often as it is worth: clients shall not make another of it by themselves."""
    status = status_of(failure)
    return JSONResponse(
        error_object(status, failure.code, failure.message), status, {**headers, "x-should-retry": "false"}
    )
