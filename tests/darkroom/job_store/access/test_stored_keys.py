"""API keys that operators make: shown once, kept as digests, rotated with a grace time, revoked for good."""

import pytest

from darkroom.access.access import Access, Limits
from darkroom.errors import KeyNameTaken, UnknownKey
from darkroom.job_store import keys
from darkroom.job_store.access.stored_keys import REMEMBERED_S, SHOWN_CHARS, StoredKey, StoredKeys, digest_of
from darkroom.job_store.redis_client import Client
from tests.darkroom.job_store.contents import READ_ALL

ACME = Access(name="acme", weight=2, limits=Limits(per_minute=60))


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stored(client: Client, clock: Clock) -> StoredKeys:
    return StoredKeys(client, clock)


def found(stored: StoredKeys, key: str) -> StoredKey:
    record = stored.find(digest_of(key))
    assert record
    return record


def test_a_key_is_found_by_its_digest_with_its_terms(stored: StoredKeys) -> None:
    key = stored.create(ACME, for_s=90)

    record = found(stored, key)

    assert record.access == ACME
    assert record.expires_s == 1_000_090
    assert stored.find(digest_of(key + "x")) is None


def test_nothing_that_redis_holds_is_the_key(stored: StoredKeys, client: Client) -> None:
    key = stored.create(ACME)

    held = str(client.eval(READ_ALL, 0))

    assert key[:SHOWN_CHARS] in held
    assert key[: SHOWN_CHARS + 1] not in held


def test_two_keys_are_never_alike(stored: StoredKeys) -> None:
    made = [stored.create(Access(name=f"k{number}")) for number in range(20)]

    assert len({key[:SHOWN_CHARS] for key in made}) == 20
    assert {len(key) for key in made} == {47}


def test_a_name_is_taken_until_its_key_is_revoked(stored: StoredKeys) -> None:
    first = stored.create(ACME)
    with pytest.raises(KeyNameTaken, match="Rotate or revoke it"):
        stored.create(ACME)

    stored.revoke("acme")
    second = stored.create(ACME)

    assert found(stored, first).revoked_s
    assert found(stored, second).revoked_s is None


def test_of_two_that_make_the_same_name_at_once_one_is_refused(stored: StoredKeys, client: Client) -> None:
    class Interrupted(StoredKeys):
        """Another makes the key after this one has looked."""

        is_first = True

        def _newest(self, pipe: object, name: str) -> tuple[str, StoredKey] | None:
            seen = super()._newest(pipe, name)
            if self.is_first:
                self.is_first = False
                stored.create(ACME)
            return seen

    with pytest.raises(KeyNameTaken):
        Interrupted(client).create(ACME)

    assert len(stored.all()) == 1


def test_a_rotated_key_lives_on_for_its_grace_time(stored: StoredKeys, clock: Clock) -> None:
    old = stored.create(ACME)

    new = stored.rotate("acme", grace_s=60)

    assert found(stored, new).access == ACME
    assert not found(stored, old).is_expired(clock() + 59)
    assert found(stored, old).is_expired(clock() + 60)
    assert stored.get("acme").shown == new[:SHOWN_CHARS]


def test_a_key_that_was_to_end_sooner_than_its_grace_time_does(stored: StoredKeys, clock: Clock) -> None:
    old = stored.create(ACME, for_s=100)
    clock.now_s += 90

    new = stored.rotate("acme", grace_s=60)

    assert found(stored, old).expires_s == 1_000_100
    assert found(stored, new).expires_s == 1_000_190


def test_revoking_ends_the_rotated_one_too(stored: StoredKeys) -> None:
    first = stored.create(ACME)
    second = stored.rotate("acme", grace_s=60)
    third = stored.rotate("acme", grace_s=60)

    stored.revoke("acme")

    assert all(found(stored, key).revoked_s for key in (first, second, third))


def test_a_key_that_is_no_more_is_remembered_for_a_month(stored: StoredKeys, client: Client) -> None:
    old, new = stored.create(ACME), stored.rotate("acme", grace_s=60)
    assert 0 < client.ttl(keys.API_KEY(digest_of(old))) - REMEMBERED_S <= 60
    assert client.ttl(keys.API_KEY(digest_of(new))) == -1

    stored.revoke("acme")

    assert 0 < client.ttl(keys.API_KEY(digest_of(new))) <= REMEMBERED_S


@pytest.mark.parametrize("is_revoked", [False, True])
def test_what_is_not_there_can_be_neither_rotated_nor_revoked(is_revoked: bool, stored: StoredKeys) -> None:
    if is_revoked:
        stored.create(ACME)
        stored.revoke("acme")

    with pytest.raises(UnknownKey, match="darkroom keys list"):
        stored.rotate("acme", grace_s=60)
    with pytest.raises(UnknownKey):
        stored.revoke("acme")
