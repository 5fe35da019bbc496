"""From a body to its job: the one way in, for every route that makes one."""

import hashlib
import secrets
from collections.abc import Mapping

import structlog
from fastapi.concurrency import run_in_threadpool

from api.admission.asker import Asker
from api.admission.terms import on_terms
from api.admission.webhook import REFUSED, webhook_of
from api.inputs.inputs import NO_PARTS, Gathered
from api.inputs.pictures import PICTURE_FAULT_CODES
from api.inputs.references import REFERENCE_FAULT_CODES
from api.services import Services
from darkroom.completion import FAULT_CODES, complete
from darkroom.errors import BrokerUnavailable, Fault, InvalidRequest, JobStoreFull, RedisUnavailable
from darkroom.job_store.inputs import Kept
from darkroom.job_store.store import Admission
from darkroom.jobs import new_job_id
from darkroom.request import SEED_LIMIT, GenerateBody, ImageRequest
from darkroom.upscaling import UPSCALER
from darkroom.webhooks.delivery import Webhook

log = structlog.get_logger()

LONGEST_IDEMPOTENCY_KEY = 255

# What a route that makes jobs from a body can answer, for its documentation.
ADMISSION_CODES = (
    *dict.fromkeys((*FAULT_CODES, *PICTURE_FAULT_CODES, *REFERENCE_FAULT_CODES, REFUSED)),
    "invalid_request", "invalid_field", "missing_field", "unknown_field", "malformed_json", "unsupported_media_type",
    "body_too_large", "body_too_slow", "unauthorized", "priority_not_allowed", "model_not_allowed", "unknown_job",
    "idempotency_conflict", "queue_full", "waiting_limit", "unfinished_limit", "rate_limited", "daily_limit",
    "inputs_busy",
    "redis_unavailable", "job_store_full", "broker_unavailable", "storage_unavailable", "internal_error",
)  # fmt: skip


async def admit(
    body: GenerateBody,
    asker: Asker,
    services: Services,
    *,
    idempotency_key: str = "",
    parts: Mapping[str, bytes] = NO_PARTS,
) -> Admission:
    """Make a job and wake a worker. `parts`: pictures that came beside the body, by the names that it uses for them.

    Raises InvalidRequest, PriorityNotAllowed, ModelNotAllowed, LimitReached, IdempotencyConflict, InputGone,
    Unavailable. Then nothing is kept.
    """
    checked_key(idempotency_key)
    owner = asker.name
    body = on_terms(body, asker.access, services.settings.default_model)
    webhook = webhook_of(body, services.settings.fetch_origins)
    gathered = await services.inputs.gather(body, owner, parts)
    request = complete(
        body, services.catalogue, services.settings, lambda: secrets.randbelow(SEED_LIMIT), gathered.brought
    )
    kept = await services.inputs.keep(gathered, owner)
    fingerprint = _fingerprint(body, parts)
    try:
        request = _renamed(request, gathered, kept)
        return await run_in_threadpool(enqueue, request, asker, services, idempotency_key, fingerprint, webhook)
    except BaseException:
        await services.inputs.let_go(kept)
        raise


def checked_key(idempotency_key: str) -> str:
    """Raises InvalidRequest."""
    if len(idempotency_key) > LONGEST_IDEMPOTENCY_KEY:
        message = f"The Idempotency-Key is longer than {LONGEST_IDEMPOTENCY_KEY} characters; a UUID is enough."
        raise InvalidRequest([Fault("Idempotency-Key", "invalid_field", message)])
    return idempotency_key


def enqueue(
    request: ImageRequest,
    asker: Asker,
    services: Services,
    idempotency_key: str = "",
    fingerprint: str = "",
    webhook: Webhook | None = None,
) -> Admission:
    """Write the job, then publish its wake-up; without the second the first is taken back, while nobody has it yet."""
    if request.upscale:
        # The job that follows is not refused any more when it comes.
        services.store.check_room(UPSCALER)
    job_id = new_job_id()
    try:
        admission = services.store.enqueue(
            asker.name,
            request,
            access=asker.access,
            idempotency_key=idempotency_key,
            fingerprint=fingerprint,
            job_id=job_id,
            webhook=webhook,
        )
        if not admission.is_repeat:
            admission = _woken(admission, services)
    except JobStoreFull:
        raise
    except RedisUnavailable:
        # All answers may have been lost, and the job be there.
        services.withdrawals.add(job_id)
        raise
    asker.tell_what_is_left_today(services)
    log.info("job.accepted", job_id=admission.job.id, model=request.model, is_repeat=admission.is_repeat)
    return admission


def _woken(admission: Admission, services: Services) -> Admission:
    job = admission.job
    try:
        services.wakeups.wake(job.request.model, job.id)
    except BrokerUnavailable:
        if services.store.withdraw(job.id):
            raise
        return Admission(services.store.get(job.id), is_repeat=False)
    return admission


def _fingerprint(body: GenerateBody, parts: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(body.model_dump_json().encode())
    for name in sorted(parts):
        digest.update(name.encode() + hashlib.sha256(parts[name]).digest())
    return digest.hexdigest()


def _renamed(request: ImageRequest, gathered: Gathered, kept: list[Kept]) -> ImageRequest:
    """With the ids under which inputs are kept: the same bytes may have come in another request meanwhile."""
    ids = {old: each.input.id for old, each in zip(gathered.fresh, kept, strict=True)}

    def new(old: str | None) -> str | None:
        return ids.get(old, old) if old is not None else None

    return request.model_copy(
        update={
            "image": tuple(ids.get(old, old) for old in request.image),
            "mask": new(request.mask),
            "control_image": new(request.control_image),
        }
    )
