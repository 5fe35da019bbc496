"""Secrets that webhooks are signed with: one an owner, made when it is first needed."""

from dataclasses import dataclass

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.webhooks.signing import new_secret

# So long after a rotation, webhooks are signed with both.
GRACE_S = 86_400


@dataclass(frozen=True)
class Secrets:
    current: str
    previous: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        return (self.current, self.previous) if self.previous else (self.current,)


class SigningSecrets:
    def __init__(self, client: Client) -> None:
        self._redis = client

    def of(self, owner: str) -> Secrets:
        """Raises RedisUnavailable."""
        name = keys.WEBHOOK_SECRET(owner)
        with redis_errors():
            self._redis.hsetnx(name, "current", new_secret())
            held, now_s = self._redis.hgetall(name), self._redis.time()[0]
        previous = held.get("previous") if int(held.get("previous_until_s", 0)) > now_s else None
        return Secrets(held["current"], previous)

    def rotate(self, owner: str) -> Secrets:
        """Raises RedisUnavailable."""
        before = self.of(owner)
        after = Secrets(new_secret(), before.current)
        with redis_errors():
            until_s = self._redis.time()[0] + GRACE_S
            kept = {"current": after.current, "previous": before.current, "previous_until_s": until_s}
            self._redis.hset(keys.WEBHOOK_SECRET(owner), mapping=kept)
        return after
