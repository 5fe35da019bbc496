"""Checks that a webhook comes from the service: Standard Webhooks signatures, by the package `standardwebhooks`."""

from collections.abc import Mapping
from typing import Any

from darkroom.client.errors import ClientError


class WebhookForged(ClientError):
    """Signed with another secret, changed on its way, or older than five minutes."""


def verify_webhook(secret: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """What the webhook says. `body` as it came, to the byte. Raises WebhookForged."""
    from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

    try:
        # Its own annotations say less than it does.
        found: dict[str, Any] = Webhook(secret).verify(body, dict(headers))
    except (EmptyWebhookSecretError, WebhookVerificationError, ValueError) as error:
        raise WebhookForged(f"The webhook's signature does not hold: {error}. Is it the right secret?") from error
    return found
