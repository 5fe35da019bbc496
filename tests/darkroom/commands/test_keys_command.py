"""`darkroom keys`, as an operator types it."""

import pytest
from typer.testing import CliRunner, Result

from darkroom.commands.duration import seconds_of
from darkroom.commands.keys_command import app
from darkroom.job_store.access.stored_keys import StoredKeys, digest_of
from darkroom.job_store.redis_client import Client


@pytest.fixture
def stored(client: Client) -> StoredKeys:
    return StoredKeys(client)


@pytest.fixture(autouse=True)
def _environment(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_REDIS_URL", redis_url)
    monkeypatch.setenv("DARKROOM_API_KEYS", "web:0123456789abcdef")


def darkroom_keys(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_key_is_made_with_all_its_terms_and_printed_alone(stored: StoredKeys) -> None:
    done = darkroom_keys(
        "create", "acme", "--role", "admin", "--weight", "2", "--bulk-only", "--models", "minilab,sdxl",
        "--per-minute", "60", "--waiting", "9", "--unfinished", "4", "--daily-megapixel-steps", "500",
        "--expires", "90d",
    )  # fmt: skip

    record = stored.find(digest_of(done.stdout.strip()))
    assert record
    access = record.access
    assert (access.name, access.is_admin, access.weight, access.bulk_only) == ("acme", True, 2, True)
    assert access.models == ("minilab", "sdxl")
    assert list(access.limits.model_dump().values()) == [60, 9, 4, 500]
    assert record.expires_s == record.created_s + 90 * 86_400


def test_keys_of_both_kinds_are_listed_and_never_a_key(stored: StoredKeys) -> None:
    keys = [stored_key for name in ("acme", "old") if (stored_key := darkroom_keys("create", name).stdout.strip())]
    darkroom_keys("revoke", "old")

    for listed in (darkroom_keys("list").stdout, darkroom_keys().stdout):
        rows = [row.split() for row in listed.splitlines()]
        assert [(row[0], row[1], row[2]) for row in rows] == [
            ("web", "never", "environment"), ("acme", "never", "stored"), ("old", "never", "revoked"),
        ]  # fmt: skip
        assert not any(key in listed for key in keys)


def test_show_says_what_a_key_may_do_and_not_the_key() -> None:
    key = darkroom_keys("create", "acme", "--per-minute", "60").stdout.strip()

    shown = darkroom_keys("show", "acme").stdout

    assert f"{key[:10]}…" in shown
    assert key not in shown
    assert "per_minute             60" in shown
    assert "daily" not in shown


def test_rotating_prints_another_key_and_leaves_the_old_one_its_grace(stored: StoredKeys) -> None:
    old = darkroom_keys("create", "acme").stdout.strip()

    new = darkroom_keys("rotate", "acme", "--grace", "0s").stdout.strip()

    record = stored.find(digest_of(old))
    assert stored.find(digest_of(new))
    assert record
    assert record.expires_s == stored.get("acme").created_s


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("web",), "web is taken"),
        (("anonymous",), "anonymous is taken"),
        (("a b",), "1 to 64 letters"),
        (("acme", "--role", "boss"), "client or admin"),
        (("acme", "--models", "nope"), "the catalogue has no nope"),
        (("acme", "--expires", "soon"), "is no duration"),
        (("acme", "--per-minute", "0"), "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...], says: str, stored: StoredKeys) -> None:
    done = darkroom_keys("create", *arguments)

    assert done.exit_code != 0
    assert says in f"{done.output} {done.exception}"
    assert stored.all() == []


def test_who_leaves_the_door_open_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not darkroom_keys("create", "one").stderr
    monkeypatch.setenv("DARKROOM_API_KEYS", "")

    assert "DARKROOM_REQUIRE_KEYS=true" in darkroom_keys("create", "two").stderr

    monkeypatch.setenv("DARKROOM_REQUIRE_KEYS", "true")
    assert not darkroom_keys("create", "three").stderr


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43_200), ("90D", 7_776_000)])
def test_durations_have_a_unit(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds
