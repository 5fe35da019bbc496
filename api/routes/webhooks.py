"""What became of a job's webhooks, sending one again, and the secret that they are signed with."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.examples import WEBHOOK_LOG, WEBHOOK_SECRET
from api.keys import OwnerDep
from api.own_jobs import own_job
from api.problems import responses
from api.routes.jobs import ALWAYS
from api.services import ServicesDep
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.job_store.webhooks.signing_secrets import SigningSecrets
from darkroom.jobs import moment
from darkroom.webhooks.delivery import Delivery, State, WebhookEvent

router = APIRouter(tags=["webhooks"])


class TryView(BaseModel):
    at: datetime
    status: int | None = Field(description="Of the answer; null where none came.")
    reason: str
    seconds: float


class DeliveryView(BaseModel):
    id: str = Field(description="The header `webhook-id`, the same at every try.")
    event: str
    state: State = Field(description="`disabled`: the receiver answered 410. `failed`: given up after a day.")
    at: datetime
    tries: list[TryView]


class WebhookLog(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [WEBHOOK_LOG]})

    webhooks: list[DeliveryView]


class SecretView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [WEBHOOK_SECRET]})

    secret: str
    previous: str | None = Field(description="For a day after a rotation webhooks are signed with both.")


@router.get("/jobs/{job_id}/webhooks", summary="See a job's webhooks", responses=responses("unknown_job", *ALWAYS))
def read_log(job_id: str, owner: OwnerDep, services: ServicesDep) -> WebhookLog:
    job = own_job(job_id, owner, services)
    return WebhookLog(webhooks=[_view(delivery) for delivery in Deliveries(services.redis).of_job(job.id)])


@router.post(
    "/jobs/{job_id}/webhooks/{event}/redeliver",
    status_code=202,
    summary="Send a webhook again",
    responses=responses("unknown_job", "unknown_webhook", "invalid_field", *ALWAYS),
)
def redeliver(job_id: str, event: WebhookEvent, owner: OwnerDep, services: ServicesDep) -> WebhookLog:
    """Now, whatever became of it, under the same id."""
    job = own_job(job_id, owner, services)
    return WebhookLog(webhooks=[_view(Deliveries(services.redis).redeliver(job.id, event))])


@router.get("/webhooks/secret", summary="Read the secret of your webhooks", responses=responses(*ALWAYS))
def read_secret(owner: OwnerDep, services: ServicesDep) -> SecretView:
    """Of Standard Webhooks. It is made when it is first needed."""
    secrets = SigningSecrets(services.redis).of(owner)
    return SecretView(secret=secrets.current, previous=secrets.previous)


@router.post("/webhooks/secret/rotate", summary="Change the secret of your webhooks", responses=responses(*ALWAYS))
def rotate_secret(owner: OwnerDep, services: ServicesDep) -> SecretView:
    secrets = SigningSecrets(services.redis).rotate(owner)
    return SecretView(secret=secrets.current, previous=secrets.previous)


def _view(delivery: Delivery) -> DeliveryView:
    tries = [
        TryView(at=moment(each.at_ms), status=each.status, reason=each.reason, seconds=each.seconds)
        for each in delivery.tries
    ]
    return DeliveryView(
        id=delivery.id, event=delivery.event, state=delivery.state, at=moment(delivery.at_ms), tries=tries
    )
