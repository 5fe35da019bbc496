"""Who is asking: API keys. Without any asked for there is one owner, `anonymous`.

Keys of the environment are compared in constant time, and need no Redis. Keys of the store are found by their digest.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from darkroom.access.access import ANONYMOUS, Access, configured_access
from darkroom.api_keys import named_keys
from darkroom.errors import DarkroomError, Misconfigured
from darkroom.job_store.access.stored_keys import StoredKey, StoredKeys, digest_of
from darkroom.settings import Settings

ASK_FOR_KEY = "This server asks for an API key: send `Authorization: Bearer KEY`."
CHALLENGE = {"WWW-Authenticate": "Bearer"}
EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# So long a process may go on with what it knows of a key of the store: a watcher asks many times a second.
KNOWN_FOR_S = 1.0
MOST_KNOWN = 10_000


class Unauthorized(DarkroomError):
    code = "unauthorized"


class KeyExpired(Unauthorized):
    code = "key_expired"


class KeyRevoked(Unauthorized):
    code = "key_revoked"


class ApiKeys:
    """Those of the environment. Holds digests, not keys."""

    def __init__(self, owners: Mapping[bytes, str], are_required: bool = False) -> None:
        self._owners = owners
        self._are_required = are_required

    def __bool__(self) -> bool:
        """Whether a key is asked for."""
        return bool(self._owners) or self._are_required

    def owner_of(self, key: str) -> str | None:
        digest = _digest(key)
        # All are compared, so that the time taken says nothing about which one came near.
        found = [owner for known, owner in self._owners.items() if hmac.compare_digest(known, digest)]
        return found[0] if found else None


class Callers:
    """Tells who a request is from, by its `Authorization`."""

    def __init__(
        self,
        configured: ApiKeys,
        stored: StoredKeys,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._configured = configured
        self._stored = stored
        self._settings = settings
        self._clock = clock
        self._now = now
        self._known: dict[str, tuple[StoredKey, float]] = {}
        """By digest, and until when that holds. What is not in the store is not remembered: it may be made just now."""

    async def by(self, authorization: str | None) -> Access:
        """Raises Unauthorized, KeyExpired, KeyRevoked, RedisUnavailable."""
        key = bearer_key(authorization)
        if key and (owner := self._configured.owner_of(key)):
            return configured_access(owner, self._settings)
        stored = await self._find(digest_of(key)) if key else None
        if stored:
            return self._access(stored)
        if self._configured:
            raise Unauthorized(ASK_FOR_KEY)
        # Clients of other makes always send some key.
        return configured_access(ANONYMOUS, self._settings)

    def _access(self, stored: StoredKey) -> Access:
        name = stored.access.name
        if stored.revoked_s:
            raise KeyRevoked(f"This key of {name} was revoked. Ask the operator for another.")
        if stored.is_expired(self._now()):
            raise KeyExpired(f"This key of {name} has expired. Ask the operator for another.")
        return stored.access.with_defaults(self._settings)

    async def _find(self, digest: str) -> StoredKey | None:
        known = self._known.get(digest)
        if known and self._clock() < known[1]:
            return known[0]
        stored = await run_in_threadpool(self._stored.find, digest)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        if stored:
            self._known[digest] = stored, self._clock() + KNOWN_FOR_S
        return stored


def bearer_key(authorization: str | None) -> str | None:
    """Of the header as it was sent."""
    scheme, key = get_authorization_scheme_param(authorization)
    return key if scheme.lower() == "bearer" and key else None


def read_keys(settings: Settings) -> ApiKeys:
    """Raises Misconfigured for a malformed list, or an open door: no key and an address others can reach."""
    owners = {_digest(key): name for name, key in named_keys(settings)}
    if unknown := set(settings.admin_keys) - set(owners.values()):
        raise Misconfigured(
            f"DARKROOM_ADMIN_KEYS names {', '.join(sorted(unknown))}, which DARKROOM_API_KEYS does not have."
        )
    keys = ApiKeys(owners, settings.require_keys)
    if not keys and settings.host not in LOOPBACK:
        raise Misconfigured(
            f"DARKROOM_HOST={settings.host} can be reached from other machines, and DARKROOM_API_KEYS is empty: "
            "anyone could use this server. Set keys, or DARKROOM_REQUIRE_KEYS=true and make some with `darkroom keys "
            "create`, or bind 127.0.0.1."
        )
    return keys


def require_public_url(settings: Settings) -> None:
    """Raises Misconfigured where links would name an address that no client can open."""
    if settings.host in EVERY_ADDRESS and settings.public_url is None:
        raise Misconfigured(
            f"DARKROOM_HOST={settings.host} binds every address, and none of them is known to clients: links would "
            "lead nowhere. Set DARKROOM_PUBLIC_URL to what clients use, such as http://10.0.0.5:8000."
        )


bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer KEY`, where the server asks for keys.")


async def _caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],  # noqa: ARG001 - for the document
) -> Access:
    callers: Callers = request.app.state.callers
    return await callers.by(request.headers.get("authorization"))


CallerDep = Annotated[Access, Depends(_caller)]


async def _owner(caller: CallerDep) -> str:
    return caller.name


OwnerDep = Annotated[str, Depends(_owner)]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
