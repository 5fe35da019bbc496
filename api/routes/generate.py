"""POST /generate: a request becomes a job, and the answer comes before any work is done."""

import hashlib
import secrets
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Header, Response
from fastapi.concurrency import run_in_threadpool

from api.examples import QUEUED_JOB
from api.keys import OwnerDep
from api.prefer import PreferredWait, wait_until_final
from api.problems import responses
from api.services import Services, ServicesDep
from api.views import JobView, job_view
from darkroom.completion import FAULT_CODES, complete
from darkroom.errors import BrokerUnavailable, Fault, InvalidRequest
from darkroom.job_store.store import Admission
from darkroom.request import SEED_LIMIT, GenerateBody

router = APIRouter(tags=["jobs"])

LONGEST_IDEMPOTENCY_KEY = 255


@router.post(
    "/generate",
    status_code=202,
    summary="Ask for images",
    responses={
        200: {"model": JobView, "description": "The job is finished already, as `Prefer: wait` asked, or as a repeat."},
        202: {"content": {"application/json": {"example": QUEUED_JOB}}},
        **responses(
            *FAULT_CODES, "invalid_request", "invalid_field", "missing_field", "unknown_field", "malformed_json",
            "unsupported_media_type", "body_too_large", "body_too_slow", "unauthorized", "unknown_job",
            "idempotency_conflict", "queue_full", "redis_unavailable", "broker_unavailable", "internal_error",
        ),
    },
)  # fmt: skip
async def generate(
    body: GenerateBody,
    owner: OwnerDep,
    services: ServicesDep,
    response: Response,
    background: BackgroundTasks,
    wait_s: PreferredWait,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Any text of your own, 255 characters at most: sent again within a day, it gives the same job."
        ),
    ] = None,
) -> JobView:
    """Make a job and answer at once, with its place in line and its links.

    Poll `links.self`, watch `links.events`, or send `Prefer: wait=N`. Images come as signed URLs that expire.
    """
    admission = await run_in_threadpool(_admit, body, owner, idempotency_key or "", services)
    job = admission.job
    if wait_s and not job.state.is_final:
        response.headers["Preference-Applied"] = f"wait={wait_s}"
        job = await wait_until_final(job, wait_s, services)
    if job.state.is_final:
        response.status_code = 200
    view = await run_in_threadpool(lambda: job_view(job, services, services.workers()))
    response.headers["Location"] = view.links.self
    # Light and not critical, so no message is worth it: if this process dies now, a date is a little too old.
    background.add_task(services.note_key_use, owner)
    return view


def _admit(body: GenerateBody, owner: str, idempotency_key: str, services: Services) -> Admission:
    """Write the job, then publish its wake-up; without the second the first is taken back, while nobody has it yet."""
    if len(idempotency_key) > LONGEST_IDEMPOTENCY_KEY:
        message = f"The Idempotency-Key is longer than {LONGEST_IDEMPOTENCY_KEY} characters; a UUID is enough."
        raise InvalidRequest([Fault("Idempotency-Key", "invalid_field", message)])
    request = complete(body, services.catalogue, services.settings, lambda: secrets.randbelow(SEED_LIMIT))
    fingerprint = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    admission = services.store.enqueue(owner, request, idempotency_key=idempotency_key, fingerprint=fingerprint)
    if not admission.is_repeat:
        try:
            services.wakeups.wake(request.model, admission.job.id)
        except BrokerUnavailable:
            if services.store.withdraw(admission.job.id):
                raise
            return Admission(services.store.get(admission.job.id), is_repeat=False)
    return admission
