"""Signatures of webhooks, by the package of Standard Webhooks."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(message_id: str, body: str, known: Sequence[str], now_s: float) -> dict[str, str]:
    """By every secret that still holds: a receiver may know one of them alone."""
    from standardwebhooks.webhooks import Webhook

    at = datetime.fromtimestamp(int(now_s), UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": "darkroom",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now_s)),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, body) for secret in known),
    }
