"""API keys that operators make while the service runs. A key is shown once, and kept as its SHA-256 alone.

That is enough, and needs no salt: nobody guesses 256 random bits.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from darkroom.access.access import Access
from darkroom.errors import KeyNameTaken, UnknownKey
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors

PREFIX = "dkr_"
# Of a key, so much is shown in lists: to tell which is which, and no help in guessing.
SHOWN_CHARS = len(PREFIX) + 6
# Whoever comes with a key that is no more is told why.
REMEMBERED_S = 30 * 86_400


class StoredKey(BaseModel):
    """Times are seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    access: Access
    shown: str
    created_s: int
    expires_s: int | None = None
    revoked_s: int | None = None
    follows: str | None = None
    """Digest of the key in whose place it came; that one may still have some time."""

    def is_expired(self, now_s: float) -> bool:
        return self.expires_s is not None and now_s >= self.expires_s


class StoredKeys:
    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._clock = clock

    def create(self, access: Access, *, for_s: int | None = None) -> str:
        """The key, which nobody can be told again. Raises KeyNameTaken, RedisUnavailable."""
        key, digest = _new_key()

        def write(pipe: Any) -> None:
            known = self._newest(pipe, access.name)
            if known and not known[1].revoked_s:
                raise KeyNameTaken(f"There is a key {access.name} already. Rotate or revoke it, or take another name.")
            pipe.multi()
            now_s = int(self._clock())
            self._put(pipe, digest, StoredKey(
                access=access, shown=key[:SHOWN_CHARS], created_s=now_s, expires_s=now_s + for_s if for_s else None
            ))  # fmt: skip
            pipe.hset(keys.API_KEY_NAMES(), access.name, digest)

        self._change(write)
        return key

    def rotate(self, name: str, *, grace_s: int) -> str:
        """A new key of the same name and terms; the old one lives on for a while. Raises UnknownKey, RedisUnavailable.

        One whose time ends gets as much time again.
        """
        key, digest = _new_key()

        def write(pipe: Any) -> None:
            old_digest, old = self._live(pipe, name)
            pipe.multi()
            now_s = int(self._clock())
            for_s = old.expires_s - old.created_s if old.expires_s else None
            new = old.model_copy(
                update={
                    "shown": key[:SHOWN_CHARS], "created_s": now_s, "follows": old_digest,
                    "expires_s": now_s + for_s if for_s else None,
                }
            )  # fmt: skip
            ends_s = min(now_s + grace_s, old.expires_s or now_s + grace_s)
            self._put(pipe, digest, new)
            self._put(pipe, old_digest, old.model_copy(update={"expires_s": ends_s}), grace_s + REMEMBERED_S)
            pipe.hset(keys.API_KEY_NAMES(), name, digest)

        self._change(write)
        return key

    def revoke(self, name: str) -> None:
        """With the ones before it that still had some time. Raises UnknownKey, RedisUnavailable."""

        def write(pipe: Any) -> None:
            line = list(self._line(pipe, *self._live(pipe, name)))
            pipe.multi()
            for digest, stored in line:
                revoked = stored.model_copy(update={"revoked_s": int(self._clock())})
                self._put(pipe, digest, revoked, REMEMBERED_S)
            # Nothing new, but a rotation under way sees that something changed, and looks again.
            pipe.hset(keys.API_KEY_NAMES(), name, line[0][0])

        self._change(write)

    def get(self, name: str) -> StoredKey:
        """The newest of this name. Raises UnknownKey, RedisUnavailable."""
        with redis_errors():
            found = self._newest(self._redis, name)
        if not found:
            raise _unknown(name)
        return found[1]

    def all(self) -> list[StoredKey]:
        """The newest of each name, by name, those that were revoked lately too. Raises RedisUnavailable."""
        with redis_errors():
            names = sorted(self._redis.hkeys(keys.API_KEY_NAMES()))
            found = [self._newest(self._redis, name) for name in names]
        return [each[1] for each in found if each]

    def find(self, digest: str) -> StoredKey | None:
        """Raises RedisUnavailable."""
        with redis_errors():
            return self._read(self._redis, digest)

    def _change(self, write: Callable[[Any], None]) -> None:
        """Whole or not at all, and never beside another change."""
        with redis_errors():
            self._redis.transaction(write, keys.API_KEY_NAMES())

    def _live(self, pipe: Any, name: str) -> tuple[str, StoredKey]:
        found = self._newest(pipe, name)
        if not found or found[1].revoked_s:
            raise _unknown(name)
        return found

    def _newest(self, pipe: Any, name: str) -> tuple[str, StoredKey] | None:
        digest = pipe.hget(keys.API_KEY_NAMES(), name)
        stored = self._read(pipe, digest) if digest else None
        return (digest, stored) if stored else None

    def _line(self, pipe: Any, digest: str, stored: StoredKey) -> Iterable[tuple[str, StoredKey]]:
        """A key, and those before it that are still remembered."""
        yield digest, stored
        while stored.follows and (earlier := self._read(pipe, stored.follows)):
            digest, stored = stored.follows, earlier
            yield digest, stored

    def _read(self, pipe: Any, digest: str) -> StoredKey | None:
        text = pipe.get(keys.API_KEY(digest))
        return StoredKey.model_validate_json(text) if text else None

    def _put(self, pipe: Any, digest: str, stored: StoredKey, kept_s: int | None = None) -> None:
        pipe.set(keys.API_KEY(digest), stored.model_dump_json(), ex=kept_s)


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _new_key() -> tuple[str, str]:
    key = PREFIX + secrets.token_urlsafe(32)
    return key, digest_of(key)


def _unknown(name: str) -> UnknownKey:
    return UnknownKey(f"There is no key {name[:80]} in the store. `darkroom keys list` prints all.")
