"""Takes a request in: a job is written, and its wake-up published, or there is none."""

import hashlib
import secrets

import structlog

from api.services import Services
from darkroom.completion import complete
from darkroom.errors import BrokerUnavailable, Fault, InvalidRequest
from darkroom.job_store.store import Admission
from darkroom.request import SEED_LIMIT, GenerateBody

log = structlog.get_logger()

LONGEST_IDEMPOTENCY_KEY = 255


def admit(body: GenerateBody, owner: str, idempotency_key: str, services: Services) -> Admission:
    """Write the job, then publish its wake-up; without the second the first is taken back, while nobody has it yet.

    Raises InvalidRequest, QueueFull, IdempotencyConflict, RedisUnavailable, BrokerUnavailable.
    """
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
            admission = Admission(services.store.get(admission.job.id), is_repeat=False)
    log.info("job.accepted", job_id=admission.job.id, model=request.model, is_repeat=admission.is_repeat)
    return admission
