"""Webhooks that are owed: an event of a job owes them in the same step, and they are owed until they are settled."""

from darkroom.errors import NotFound
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.job_store.scripts import Scripts
from darkroom.webhooks.delivery import EVENTS, TRIES, Delivery, State, Try

# Longer than any try may take.
TAKEN_FOR_MS = 60_000
# A receiver that answered 410 to one webhook gets no others for so long.
DISABLED_FOR_S = 7 * 86_400


class NoSuchWebhook(NotFound):
    code = "unknown_webhook"


class Deliveries:
    def __init__(self, client: Client) -> None:
        self._redis = client
        self._scripts = Scripts(client)

    def take(self, most: int) -> list[Delivery]:
        """Those that are due; others get them only after a minute. Raises RedisUnavailable."""
        answer = self._scripts.run("take_webhooks", most, TAKEN_FOR_MS)
        taken = [str(each).partition(" ") for each in answer] if isinstance(answer, list) else []
        found = [(job_id, event, self._read(job_id, event)) for job_id, _, event in taken]
        for job_id, event, delivery in found:
            if delivery is None:
                self._forget(job_id, event)
        return [delivery for _, _, delivery in found if delivery]

    def settle(self, delivery: Delivery, last: Try, state: State) -> None:
        """It is over. Raises RedisUnavailable."""
        self._note(delivery, last, state)
        self._forget(delivery.job_id, delivery.event)

    def put_off(self, delivery: Delivery, for_s: float, last: Try | None = None) -> None:
        """Until a next try. Raises RedisUnavailable."""
        if last:
            self._note(delivery, last, "due")
        with redis_errors():
            due_ms = self._now_ms() + int(1000 * for_s)
            self._redis.zadd(keys.WEBHOOKS_DUE(), {_member(delivery): due_ms}, xx=True)

    def redeliver(self, job_id: str, event: str) -> Delivery:
        """Send it now, whatever became of it: its tries begin anew. Raises NoSuchWebhook, RedisUnavailable."""
        known = self._read(job_id, event)
        if known is None:
            raise NoSuchWebhook(f"Job {job_id[:80]} has no webhook {event[:80]!r}, or not yet.")
        with redis_errors():
            pipe = self._redis.pipeline(transaction=True)
            pipe.hset(keys.WEBHOOK(job_id, event), mapping={"state": "due", "failed": 0})
            pipe.zadd(keys.WEBHOOKS_DUE(), {_member(known): self._now_ms()})
            pipe.execute()
        return Delivery(job_id, event, "due", known.at_ms, known.tries)

    def of_job(self, job_id: str) -> list[Delivery]:
        """The oldest first. Raises RedisUnavailable."""
        found = [delivery for event in EVENTS if (delivery := self._read(job_id, event))]
        return sorted(found, key=lambda delivery: delivery.at_ms)

    def waiting(self, most: int) -> tuple[int, list[tuple[Delivery, int]]]:
        """How many are owed, and those that are next, with when (ms since the epoch). Raises RedisUnavailable."""
        with redis_errors():
            count = int(self._redis.zcard(keys.WEBHOOKS_DUE()))
            rows = self._redis.zrange(keys.WEBHOOKS_DUE(), 0, most - 1, withscores=True)
        found = [(self._read(*member.split(" ", 1)), int(due_ms)) for member, due_ms in rows]
        return count, [(delivery, due_ms) for delivery, due_ms in found if delivery]

    def failed(self, delivery: Delivery) -> int:
        """Tries that failed since it was first owed, or asked for again. Raises RedisUnavailable."""
        with redis_errors():
            return int(self._redis.hget(keys.WEBHOOK(delivery.job_id, delivery.event), "failed") or 0)

    def url_of(self, job_id: str) -> str | None:
        """Raises RedisUnavailable."""
        with redis_errors():
            url: str | None = self._redis.hget(keys.JOB(job_id), "webhook")
        return url

    def disable(self, owner: str, url: str) -> None:
        """Raises RedisUnavailable."""
        with redis_errors():
            pipe = self._redis.pipeline(transaction=True)
            pipe.sadd(keys.WEBHOOKS_DISABLED(owner), url)
            pipe.expire(keys.WEBHOOKS_DISABLED(owner), DISABLED_FOR_S)
            pipe.execute()

    def is_disabled(self, owner: str, url: str) -> bool:
        """Raises RedisUnavailable."""
        with redis_errors():
            return bool(self._redis.sismember(keys.WEBHOOKS_DISABLED(owner), url))

    def _note(self, delivery: Delivery, last: Try, state: State) -> None:
        """Not of a job that was deleted meanwhile."""
        name = keys.WEBHOOK(delivery.job_id, delivery.event)
        with redis_errors():
            if not self._redis.exists(name):
                return
            tries = TRIES.dump_json((*delivery.tries, last)[-20:]).decode()
            pipe = self._redis.pipeline(transaction=True)
            pipe.hset(name, mapping={"state": state, "tries": tries})
            if state != "delivered":
                pipe.hincrby(name, "failed", 1)
            pipe.execute()

    def _forget(self, job_id: str, event: str) -> None:
        with redis_errors():
            self._redis.zrem(keys.WEBHOOKS_DUE(), f"{job_id} {event}")

    def _read(self, job_id: str, event: str) -> Delivery | None:
        with redis_errors():
            record = self._redis.hgetall(keys.WEBHOOK(job_id, event))
        if "at_ms" not in record:
            return None
        tries = TRIES.validate_json(record.get("tries") or "[]")
        return Delivery(job_id, event, record.get("state", "due"), int(record["at_ms"]), tries)

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000


def _member(delivery: Delivery) -> str:
    return f"{delivery.job_id} {delivery.event}"
