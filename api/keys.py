"""Who is asking: API keys, checked in constant time. Without any configured there is one owner, `anonymous`."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from darkroom.api_keys import named_keys
from darkroom.errors import DarkroomError, Misconfigured
from darkroom.settings import Settings

ANONYMOUS = "anonymous"
ASK_FOR_KEY = "This server asks for an API key: send `Authorization: Bearer KEY`."
CHALLENGE = {"WWW-Authenticate": "Bearer"}
EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Unauthorized(DarkroomError):
    code = "unauthorized"


class ApiKeys:
    """Holds digests, not keys."""

    def __init__(self, owners: Mapping[bytes, str]) -> None:
        self._owners = owners

    def __bool__(self) -> bool:
        return bool(self._owners)

    def owner_of(self, key: str) -> str | None:
        digest = _digest(key)
        # All are compared, so that the time taken says nothing about which one came near.
        found = [owner for known, owner in self._owners.items() if hmac.compare_digest(known, digest)]
        return found[0] if found else None

    def owner_by(self, authorization: str | None) -> str | None:
        """Of the header as it was sent."""
        scheme, key = get_authorization_scheme_param(authorization)
        return self.owner_of(key) if scheme.lower() == "bearer" and key else None


def read_keys(settings: Settings) -> ApiKeys:
    """Raises Misconfigured for a malformed list, or an open door: no key and an address others can reach."""
    owners = {_digest(key): name for name, key in named_keys(settings)}
    if unknown := set(settings.admin_keys) - set(owners.values()):
        raise Misconfigured(
            f"DARKROOM_ADMIN_KEYS names {', '.join(sorted(unknown))}, which DARKROOM_API_KEYS does not have."
        )
    if not owners and settings.host not in LOOPBACK:
        raise Misconfigured(
            f"DARKROOM_HOST={settings.host} can be reached from other machines, and DARKROOM_API_KEYS is empty: "
            "anyone could use this server. Set keys, or bind 127.0.0.1."
        )
    return ApiKeys(owners)


def require_public_url(settings: Settings) -> None:
    """Raises Misconfigured where links would name an address that no client can open."""
    if settings.host in EVERY_ADDRESS and settings.public_url is None:
        raise Misconfigured(
            f"DARKROOM_HOST={settings.host} binds every address, and none of them is known to clients: links would "
            "lead nowhere. Set DARKROOM_PUBLIC_URL to what clients use, such as http://10.0.0.5:8000."
        )


bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer KEY`, where the server asks for keys.")


def _owner(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
    keys: ApiKeys = request.app.state.keys
    if not keys:
        return ANONYMOUS
    owner = keys.owner_of(credentials.credentials) if credentials else None
    if owner is None:
        raise Unauthorized(ASK_FOR_KEY)
    return owner


OwnerDep = Annotated[str, Depends(_owner)]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
