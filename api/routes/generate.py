"""POST /generate: a request becomes a job, and the answer comes before any work is done."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Header, Response
from fastapi.concurrency import run_in_threadpool

from api.admission.admit import ADMISSION_CODES, LONGEST_IDEMPOTENCY_KEY, admit
from api.admission.cancel_after import cancel_after_s, earlier
from api.examples import QUEUED_JOB
from api.keys import OwnerDep
from api.prefer import PreferredWait, wait_until_final
from api.problems import responses
from api.services import ServicesDep
from api.views import JobView, accepted_view
from darkroom.errors import RedisUnavailable
from darkroom.request import GenerateBody

router = APIRouter(tags=["jobs"])


@router.post(
    "/generate",
    status_code=202,
    summary="Ask for images",
    responses={
        200: {"model": JobView, "description": "The job is finished already, as `Prefer: wait` asked, or as a repeat."},
        202: {"content": {"application/json": {"example": QUEUED_JOB}}},
        **responses(*ADMISSION_CODES),
    },
)
async def generate(
    body: GenerateBody,
    owner: OwnerDep,
    services: ServicesDep,
    response: Response,
    background: BackgroundTasks,
    wait_s: PreferredWait,
    idempotency_key: Annotated[
        str,
        Header(
            description="Any text of your own, 255 characters at most: sent again within a day, it gives the same job.",
            json_schema_extra={"maxLength": LONGEST_IDEMPOTENCY_KEY},
        ),
    ] = "",
    cancel_after: Annotated[
        str | None,
        Header(description="As `deadline_s`, which see: `30s`, `5m`, `1h30m`. Where both are given the earlier holds."),
    ] = None,
) -> JobView:
    """Make a job and answer at once, with its place in line and its links.

    Poll `links.self`, watch `links.events`, or send `Prefer: wait=N`. Images come as signed URLs that expire.
    """
    body = body.model_copy(update={"deadline_s": earlier(body.deadline_s, cancel_after_s(cancel_after))})
    job = (await admit(body, owner, services, idempotency_key=idempotency_key)).job
    if wait_s and not job.state.is_final:
        response.headers["Preference-Applied"] = f"wait={wait_s}"
        # Accepted is accepted: without Redis the client is told so at once, and comes back for the rest.
        with suppress(RedisUnavailable):
            job = await wait_until_final(job, wait_s, services)
    if job.state.is_final:
        response.status_code = 200
    view = await run_in_threadpool(accepted_view, job, services)
    response.headers["Location"] = view.links.self
    # Light and not critical, so no message is worth it: if this process dies now, a date is a little too old.
    background.add_task(services.note_key_use, owner)
    return view
