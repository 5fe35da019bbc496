"""What reaches Redis only after its sender has given it up does not happen: the sender told its own client so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.errors import RedisUnavailable
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import KNOWN_FOR_S, Client, RedisClock, connect
from darkroom.job_store.scripts import Scripts
from darkroom.job_store.store import JobStore
from darkroom.settings import Settings
from tests.conftest import MakeRequest
from tests.eventually import eventually
from tests.redis_of_our_own import redis_of_our_own
from tests.servers import RedisServer

JOB = "0" * 28
NEVER_MS = 2**52


def enqueue_late(client: Client, not_after_ms: int) -> object:
    """By hand, as a sending that was long under way."""
    return Scripts(client).run(
        "enqueue", not_after_ms, JOB, "alice", "minilab", "interactive", 1, 1, "{}", 9, 9, "", "", 60, 0, ""
    )


@pytest.fixture
def redis_server_of_our_own(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_of_our_own(tmp_path / "redis") as server:
        yield server


def test_a_job_that_comes_too_late_is_not_made(client: Client) -> None:
    match enqueue_late(client, 1):
        case ["late", int(at_ms)]:
            assert at_ms > 1
        case other:
            pytest.fail(f"answered {other}")

    assert not client.exists(keys.JOB(JOB))


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_job_that_was_removed_meanwhile_is_not_made_anew(is_deleted: bool, store: JobStore, client: Client) -> None:
    enqueue_late(client, NEVER_MS)
    if is_deleted:
        store.cancel(JOB)
        store.delete(JOB)
    else:
        store.withdraw(JOB)

    enqueue_late(client, NEVER_MS)

    assert not client.exists(keys.JOB(JOB))


def test_a_withdrawal_that_overtakes_its_enqueue_holds(store: JobStore, client: Client) -> None:
    assert store.withdraw(JOB)

    enqueue_late(client, NEVER_MS)

    assert not client.exists(keys.JOB(JOB))


def test_with_redis_stalled_nothing_is_enqueued_or_claimed_afterwards(
    redis_server_of_our_own: RedisServer, settings: Settings, request_of: MakeRequest
) -> None:
    """Both are given up after four seconds, and lie in the sockets of a Redis that then goes on."""
    of = settings.model_copy(update={"redis_url": redis_server_of_our_own.url})
    with connect(of.redis_url) as client:
        store, claims = JobStore(client, of), Claims(client, of)
        waiting = store.enqueue("alice", request_of()).job
        claims.waiting("minilab")
        claims.claim_next("no such model", "w")
        redis_server_of_our_own.process.pause()

        with pytest.raises(RedisUnavailable):
            store.enqueue("alice", request_of())
        with pytest.raises(RedisUnavailable):
            claims.claim_next("minilab", "w")
        redis_server_of_our_own.process.resume()

        # Redis serves its sockets in turn; those that were given up, it finds closed in the end.
        eventually(lambda: client.info("clients")["connected_clients"] == 1, what="Redis to have read all")
        assert [job.id for job in store.newest("alice", limit=9)] == [waiting.id]
        assert store.get(waiting.id).attempt == 0


class Ticks:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_redis_s_time_is_known_without_asking_and_never_ahead_of_it(client: Client) -> None:
    ticks = Ticks()
    clock = RedisClock(client, ticks)
    before_s = float(client.time()[0])

    told_ms = clock.at_ms(ticks.now_s)

    assert before_s * 1000 <= told_ms <= int(client.time()[0]) * 1000 + 1000
    assert clock.at_ms(ticks.now_s + 5) == told_ms + 5000


def test_clocks_are_not_compared_again_before(client: Client) -> None:
    ticks = Ticks()
    clock = RedisClock(client, ticks)
    first_ms = clock.at_ms(ticks.now_s)

    ticks.now_s += KNOWN_FOR_S

    assert clock.at_ms(ticks.now_s) == pytest.approx(first_ms + KNOWN_FOR_S * 1000, abs=1)


def test_clocks_are_compared_again_after_a_while(client: Client) -> None:
    ticks = Ticks()
    clock = RedisClock(client, ticks)
    first_ms = clock.at_ms(ticks.now_s)

    ticks.now_s += KNOWN_FOR_S + 1  # which Redis has not seen pass

    assert clock.at_ms(ticks.now_s) < first_ms + KNOWN_FOR_S * 1000


class SetBack(RedisClock):
    """An hour behind until it is looked at again, as after a failover to a machine whose clock is ahead."""

    looks = 0

    def look(self) -> None:
        super().look()
        self.looks += 1

    def at_ms(self, moment_s: float) -> int:
        told_ms = super().at_ms(moment_s)
        return told_ms if self.looks > 1 else told_ms - 3_600_000


def test_a_clock_that_was_set_costs_nobody_a_job(store: JobStore, client: Client, request_of: MakeRequest) -> None:
    job_id = store.enqueue("alice", request_of()).job.id

    answer = Scripts(client, SetBack(client)).run_in_time("claim", "nonce", "minilab", "w", 1000, 3, "interactive")

    match answer:
        case ["claimed", claimed, _]:
            assert claimed == job_id
        case other:
            pytest.fail(f"answered {other}")
