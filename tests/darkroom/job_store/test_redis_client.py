"""Redis's errors in our words, from a real server."""

import pytest
import redis

from darkroom.errors import RedisUnavailable
from darkroom.job_store.redis_client import Client, connect, redis_errors
from tests.servers import free_port


def test_a_redis_that_is_not_there_is_unavailable() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as client, pytest.raises(RedisUnavailable), redis_errors():
        client.ping()


def test_a_redis_that_is_full_is_unavailable(client: Client) -> None:
    client.set("large", "x" * 2_000_000)
    client.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(RedisUnavailable), redis_errors():
            client.set("one", "more")
    finally:
        client.config_set("maxmemory", "0")


def test_a_redis_that_cannot_save_to_its_disk_says_so(client: Client) -> None:
    refusal = client.register_script("return redis.error_reply('MISCONF Errors writing to the AOF file')")

    with pytest.raises(RedisUnavailable, match="disk"), redis_errors():
        refusal()


def test_a_fault_of_ours_is_not_taken_for_an_outage(client: Client) -> None:
    client.set("text", "x")

    with pytest.raises(redis.ResponseError), redis_errors():
        client.hgetall("text")
