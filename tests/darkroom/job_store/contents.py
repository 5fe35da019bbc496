"""All that Redis holds at one moment, fetched in one round trip: comparing it key by key took most of a test's time."""

import json
from fnmatch import fnmatchcase
from typing import Any

from darkroom.job_store.redis_client import Client

READ_ALL = """
local how = {
    hash = {'HGETALL'},
    zset = {'ZRANGE', 0, -1, 'WITHSCORES'},
    stream = {'XRANGE', '-', '+'},
    set = {'SMEMBERS'},
    string = {'GET'},
}
local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
    local read = how[redis.call('TYPE', key).ok]
    all[#all + 1] = {key, redis.call(read[1], key, unpack(read, 2))}
end
return cjson.encode(all)
"""


class Contents:
    """Answers as a client would, without asking again."""

    def __init__(self, client: Client) -> None:
        answer: Any = client.eval(READ_ALL, 0)
        self._values: dict[str, Any] = dict(json.loads(answer))

    def keys(self, pattern: str) -> list[str]:
        return [key for key in self._values if fnmatchcase(key, pattern)]

    def hgetall(self, key: str) -> dict[str, str]:
        return _pairs(self._values.get(key, []))

    def hmget(self, key: str, *names: str) -> list[str | None]:
        fields = self.hgetall(key)
        return [fields.get(name) for name in names]

    def zrange(self, key: str) -> list[str]:
        """The members, lowest score first."""
        return list(self.scores(key))

    def scores(self, key: str) -> dict[str, float]:
        """The same, with their scores."""
        return {member: float(score) for member, score in _pairs(self._values.get(key, [])).items()}

    def stream(self, key: str) -> list[dict[str, str]]:
        """The fields of each entry, oldest first."""
        return [_pairs(fields) for _, fields in self._values.get(key, [])]


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
