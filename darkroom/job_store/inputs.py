"""What the job store knows of inputs: whose they are, which jobs need them, and until when they are kept.

An input's file is written before it is recorded, and removed after it is forgotten; in between, its id stands in a list
of files to be removed, so that none is left over whichever process dies.
"""

from dataclasses import dataclass

from darkroom.inputs import Input
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors
from darkroom.job_store.scripts import Scripts

# A file that was written, and is not recorded by then, belongs to nobody: its process died.
NEVER_KEPT_AFTER_MS = 3_600_000


@dataclass(frozen=True)
class Kept:
    """`input` may be one that the same bytes made before."""

    input: Input
    until_ms: int


class InputRecords:
    def __init__(self, client: Client) -> None:
        self._redis = client
        self._scripts = Scripts(client)

    def announce(self, input_id: str) -> None:
        """Its file is about to be written. Raises RedisUnavailable."""
        with redis_errors():
            self._redis.zadd(keys.INPUT_FILES(), {input_id: self._now_ms() + NEVER_KEPT_AFTER_MS})

    def keep(self, picture: Input, owner: str, sha256: str, for_s: float) -> Kept:
        """Raises RedisUnavailable."""
        answer = self._scripts.run(
            "keep_input", picture.id, owner, sha256, picture.width, picture.height, int(picture.has_alpha),
            int(for_s * 1000),
        )  # fmt: skip
        assert isinstance(answer, list)
        input_id, until_ms = map(str, answer)
        known = picture if input_id == picture.id else self.get(input_id, owner)
        # Just dropped by another process: the job that names it will be told so.
        return Kept(known or picture, int(until_ms))

    def get(self, input_id: str, owner: str) -> Input | None:
        """None where there is no such input, or it is another's. Raises RedisUnavailable."""
        with redis_errors():
            record = self._redis.hgetall(keys.INPUT(input_id))
        if not record or record["owner"] != owner:
            return None
        return Input(input_id, int(record["width"]), int(record["height"]), record["has_alpha"] == "1")

    def find(self, owner: str, sha256: str) -> Input | None:
        """The input that these bytes of this owner have made. Raises RedisUnavailable."""
        with redis_errors():
            input_id = self._redis.hget(keys.INPUTS_OF(owner), sha256)
        return self.get(input_id, owner) if input_id else None

    def drop(self, input_id: str, until_ms: int) -> bool:
        """Forget an input, unless a job needs it or it is kept for longer. Whether its file is to be removed now.

        Raises RedisUnavailable.
        """
        return self._scripts.run("drop_input", input_id, until_ms) == 1

    def file_removed(self, input_id: str) -> None:
        """Raises RedisUnavailable."""
        with redis_errors():
            self._redis.zrem(keys.INPUT_FILES(), input_id)

    def drop_unused(self, limit: int = 100) -> None:
        """Those whose time is over. Raises RedisUnavailable."""
        now = self._now_ms()
        with redis_errors():
            due = self._redis.zrangebyscore(keys.INPUTS_UNUSED(), "-inf", now, start=0, num=limit)
        for input_id in due:
            self.drop(input_id, now)

    def due_files(self, limit: int = 100) -> list[str]:
        """Ids of inputs whose files are to be removed by now. Raises RedisUnavailable."""
        with redis_errors():
            return list(self._redis.zrangebyscore(keys.INPUT_FILES(), "-inf", self._now_ms(), start=0, num=limit))

    def _now_ms(self) -> int:
        with redis_errors():
            seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000
