"""What workers agree on between them: whose turn it is, and how many wake-ups are too many."""

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.upkeep import Upkeep
from darkroom.settings import Settings


def test_one_worker_a_period_keeps_house(upkeep: Upkeep, client: Client, settings: Settings) -> None:
    assert [upkeep.takes_turn(), upkeep.takes_turn()] == [True, False]

    # Over before the next round, or its worker would find its own mark.
    period_ms = 1000 * settings.housekeeping_period_s
    assert 0.8 * period_ms < client.pttl(keys.TURN()) <= 0.9 * period_ms


def test_as_many_wake_ups_are_swallowed_as_were_too_many(upkeep: Upkeep, claims: Claims) -> None:
    upkeep.note_surplus("minilab", 2)

    assert [claims.take_surplus("minilab") for _ in range(4)] == [True, True, False, False]


def test_a_surplus_is_forgotten_once_there_is_none_and_by_itself(
    upkeep: Upkeep, claims: Claims, client: Client, settings: Settings
) -> None:
    upkeep.note_surplus("minilab", 2)
    period_ms = 1000 * settings.housekeeping_period_s
    assert 1.5 * period_ms < client.pttl(keys.SURPLUS("minilab")) <= 2 * period_ms

    upkeep.note_surplus("minilab", 0)

    assert not claims.take_surplus("minilab")
