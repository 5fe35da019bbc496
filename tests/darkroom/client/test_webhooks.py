"""Signatures are those of Standard Webhooks: made here by its own package."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from darkroom.client import WebhookForged, verify_webhook

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
BODY = b'{"type": "job.succeeded"}'


def signed(at: datetime) -> dict[str, str]:
    signature = Webhook(SECRET).sign("msg_1", at, BODY.decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_what_was_signed_is_what_it_says() -> None:
    assert verify_webhook(SECRET, BODY, signed(datetime.now(UTC))) == {"type": "job.succeeded"}


@pytest.mark.parametrize(
    ("secret", "body", "age"),
    [
        ("whsec_" + base64.b64encode(b"t" * 32).decode(), BODY, timedelta()),
        (SECRET, BODY + b" ", timedelta()),
        (SECRET, BODY, timedelta(minutes=6)),
        ("whsec_%%%", BODY, timedelta()),
    ],
)
def test_what_was_not_is_refused(secret: str, body: bytes, age: timedelta) -> None:
    with pytest.raises(WebhookForged, match="Is it the right secret"):
        verify_webhook(secret, body, signed(datetime.now(UTC) - age))


def test_without_headers_there_is_no_signature() -> None:
    with pytest.raises(WebhookForged):
        verify_webhook(SECRET, BODY, {})
