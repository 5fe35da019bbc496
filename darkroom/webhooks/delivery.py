"""What a webhook's delivery is, and when it is tried again. Knows neither Redis nor HTTP."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

WebhookEvent = Literal["started", "succeeded", "failed", "canceled"]
EVENTS: tuple[WebhookEvent, ...] = ("started", "succeeded", "failed", "canceled")
# Of a request that names none.
ENDS: tuple[WebhookEvent, ...] = ("succeeded", "failed", "canceled")

State = Literal["due", "delivered", "failed", "disabled"]

# After each try that failed, as Standard Webhooks has them, for a day in all.
DELAYS_S = (5, 300, 1800, 7200, 18_000, 36_000, 23_100)
# A receiver that was away for long is not met by all at once.
JITTER = 0.2
LONGEST_S = 86_400


@dataclass(frozen=True)
class Webhook:
    """As a request has it."""

    url: str
    events: tuple[WebhookEvent, ...] = ENDS


class Try(BaseModel):
    model_config = ConfigDict(frozen=True)

    at_ms: int
    status: int | None = None
    reason: str = ""
    seconds: float = 0.0


TRIES = TypeAdapter(tuple[Try, ...])


@dataclass(frozen=True)
class Delivery:
    job_id: str
    event: str
    state: State
    at_ms: int
    """When the event was."""
    tries: tuple[Try, ...] = ()

    @property
    def id(self) -> str:
        """The same at every try, so that a receiver can tell what it has had."""
        return f"msg_{self.job_id}_{self.event}"


def delay_s(failed: int, chance: float, retry_after_s: float | None) -> float | None:
    """Seconds until the next try after so many failed ones; None after the last. `chance`: 0 to 1, at random."""
    if failed > len(DELAYS_S):
        return None
    planned_s = DELAYS_S[failed - 1] * (1 + JITTER * chance)
    return max(planned_s, min(retry_after_s or 0.0, LONGEST_S))
