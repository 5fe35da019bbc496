from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.key_use import NOTED_EVERY_S, KeyUse, last_uses
from darkroom.job_store.redis_client import Client, connect
from darkroom.settings import Settings


def test_keys_are_listed_with_their_last_use_and_without_the_keys(client: Client, settings: Settings) -> None:
    configured = settings.model_copy(update={"api_keys": SecretStr("web:0123456789abcdef,batch:fedcba9876543210")})
    KeyUse(client).note("web")
    KeyUse(client).note("gone")

    uses = last_uses(client, configured)

    assert list(uses) == ["web", "batch", "gone"]
    assert uses["batch"] is None
    assert uses["web"]
    assert abs((datetime.now(UTC) - uses["web"]).total_seconds()) < 60


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_use_is_noted_once_a_minute_for_each_key(client: Client) -> None:
    clock = Clock()
    use = KeyUse(client, clock)

    def noted() -> set[str]:
        for name in ("web", "batch"):
            use.note(name)
        names = set(client.hkeys(keys.KEYS_USED()))
        client.delete(keys.KEYS_USED())
        return names

    found = [noted()]
    clock.now_s += NOTED_EVERY_S - 0.01
    found.append(noted())
    clock.now_s += 0.01
    found.append(noted())

    assert found == [{"web", "batch"}, set(), {"web", "batch"}]


def test_a_use_that_could_not_be_noted_is_tried_again_with_the_next(client: Client) -> None:
    use = KeyUse(connect("unix:///nowhere/redis.sock"))

    for _ in range(2):
        with pytest.raises(RedisUnavailable):
            use.note("web")
