"""Signed links to local images: an HMAC over key, expiry and file name. Knows neither clock, files nor HTTP."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

from darkroom.errors import LinkExpired, LinkForged

# Part of what is signed, so that a signature made for a later form of link is never taken for one of these.
_PURPOSE = "darkroom-link-1"


class LinkSigner:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, key: str, expires_at: datetime, filename: str | None = None) -> dict[str, str]:
        """The query of the link. `expires_at` is taken to the whole second."""
        expires = str(int(expires_at.timestamp()))
        query = {"expires": expires, "signature": self._signature(key, expires, filename)}
        return query if filename is None else {**query, "filename": filename}

    def verify(self, key: str, expires: str, signature: str, now: datetime, filename: str | None = None) -> None:
        """Raises LinkForged before LinkExpired: only who held a real link is told that it was one."""
        expected = self._signature(key, expires, filename)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            raise LinkForged("This link was not made here, or was changed. Ask for the job again to get its links.")
        # The text is one that we signed, hence a number.
        expired_at = datetime.fromtimestamp(int(expires), UTC)
        if now >= expired_at:
            raise LinkExpired(f"This link expired at {expired_at.isoformat()}. Ask for the job again to get a new one.")

    def _signature(self, key: str, expires: str, filename: str | None) -> str:
        # As JSON, no two different triples read the same; joined by a separator they might.
        message = json.dumps([_PURPOSE, key, expires, filename]).encode()
        digest = hmac.new(self._secret, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
