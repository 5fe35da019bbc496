"""Keys made while the API runs: they hold at once, for every process, and so does their end."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from api.keys import KNOWN_FOR_S, ApiKeys, Callers, KeyExpired, KeyRevoked, Unauthorized
from darkroom.access.access import Access, Limits
from darkroom.errors import RedisUnavailable
from darkroom.job_store.access.stored_keys import StoredKeys
from darkroom.job_store.redis_client import Client, connect
from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import serving
from tests.eventually import eventually

RED = {"prompt": "a red circle"}


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def stored(client: Client) -> StoredKeys:
    return StoredKeys(client)


@pytest.fixture
def locked(settings: Settings) -> Iterator[httpx.Client]:
    """One that asks for keys, and has none in its environment."""
    with (
        serving(settings.model_copy(update={"require_keys": True})) as api,
        httpx.Client(base_url=api.url, trust_env=False, timeout=30) as client,
    ):
        yield client


def of(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_works_as_soon_as_it_is_made(locked: httpx.Client, stored: StoredKeys) -> None:
    assert problem_of(locked.post("/generate", json=RED))["code"] == "unauthorized"

    key = stored.create(Access(name="acme"))

    made = locked.post("/generate", json=RED, headers=of(key))
    assert made.status_code == 202
    assert locked.get(made.headers["location"], headers=of(key)).status_code == 200


def test_another_owner_s_job_is_as_good_as_none(locked: httpx.Client, stored: StoredKeys) -> None:
    one, other = (stored.create(Access(name=name)) for name in ("one", "other"))

    job = locked.post("/generate", json=RED, headers=of(one)).json()

    answer = locked.get(f"/jobs/{job['id']}", headers=of(other))
    assert problem_of(answer)["code"] == "unknown_job"


@pytest.mark.parametrize("body", [RED, None, "x" * 300_000])
def test_a_revoked_key_is_told_so_within_a_second_whatever_it_sends(
    body: object, locked: httpx.Client, stored: StoredKeys
) -> None:
    key = stored.create(Access(name="acme"))
    assert locked.get("/jobs", headers=of(key)).status_code == 200

    stored.revoke("acme")

    refused = eventually(
        lambda: answer if (answer := locked.get("/jobs", headers=of(key))).status_code != 200 else None, 5
    )
    assert refused
    assert problem_of(refused)["code"] == "key_revoked"
    posted = locked.post("/generate", json=body, headers=of(key))
    assert (posted.status_code, problem_of(posted)["code"]) == (401, "key_revoked")
    assert posted.headers["www-authenticate"] == "Bearer"


def test_keys_of_the_environment_go_on_working_beside_them(settings: Settings, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme"))
    both = settings.model_copy(update={"api_keys": SecretStr("alice:" + "a" * 24)})

    with serving(both) as api:
        told = [httpx.get(f"{api.url}/admin/me", headers=of(each), trust_env=False).json() for each in (key, "a" * 24)]

    assert [each["key"] for each in told] == ["acme", "alice"]


def test_an_admin_s_key_opens_operations_and_a_client_s_does_not(locked: httpx.Client, stored: StoredKeys) -> None:
    admin = stored.create(Access(name="boss", is_admin=True))
    client = stored.create(Access(name="acme"))

    assert problem_of(locked.get("/admin/operations", headers=of(client)))["code"] == "operators_only"
    shown = locked.get("/admin/operations", headers=of(admin)).json()["keys"]

    assert {each["name"]: each["is_operator"] for each in shown} == {"boss": True, "acme": False}


def test_a_key_for_bulk_makes_bulk_jobs_alone(locked: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", bulk_only=True))

    silent = locked.post("/generate", json=RED, headers=of(key))
    asking = locked.post("/generate", json=RED | {"priority": "interactive"}, headers=of(key))

    assert silent.json()["request"]["priority"] == "bulk"
    assert (asking.status_code, problem_of(asking)["code"]) == (403, "priority_not_allowed")


def test_openai_s_clients_with_a_key_for_bulk_make_bulk_jobs(locked: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", bulk_only=True, limits=Limits(waiting=1)))
    locked.post("/generate", json=RED, headers=of(key))

    refused = locked.post("/v1/images/generations", json=RED, headers=of(key))

    assert refused.json()["error"]["code"] == "waiting_limit"


def test_a_key_for_some_models_sees_and_uses_no_others(locked: httpx.Client, stored: StoredKeys) -> None:
    key = stored.create(Access(name="acme", models=("sdxl",)))

    refused = locked.post("/generate", json=RED, headers=of(key))
    listed = locked.get("/models", headers=of(key)).json()["models"]

    assert (refused.status_code, problem_of(refused)["code"]) == (403, "model_not_allowed")
    assert "sdxl" in problem_of(refused)["detail"]
    assert [model["id"] for model in listed] == ["sdxl"]


def test_while_redis_is_away_keys_of_the_store_get_503_before_their_body_is_read(settings: Settings) -> None:
    away = settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock", "require_keys": True})

    with serving(away) as api:
        answer = httpx.post(f"{api.url}/generate", content=b"{", headers=of("dkr_x"), trust_env=False, timeout=30)

    assert (answer.status_code, problem_of(answer)["code"]) == (503, "redis_unavailable")
    assert answer.headers["retry-after"]


def callers(stored: StoredKeys, settings: Settings, clock: Clock, *, are_required: bool = True) -> Callers:
    return Callers(ApiKeys({}, are_required), stored, settings, clock, clock)


@pytest.mark.anyio
async def test_what_is_known_of_a_key_holds_for_a_second_and_no_longer(client: Client, settings: Settings) -> None:
    clock = Clock()
    stored = StoredKeys(client, clock)
    door = callers(stored, settings, clock)
    key = stored.create(Access(name="acme"))
    await door.by(f"Bearer {key}")
    stored.revoke("acme")

    clock.now_s += KNOWN_FOR_S - 0.01
    assert (await door.by(f"Bearer {key}")).name == "acme"
    clock.now_s += 0.01
    with pytest.raises(KeyRevoked, match="acme was revoked"):
        await door.by(f"Bearer {key}")


@pytest.mark.anyio
async def test_a_key_ends_at_its_time_though_it_is_known(client: Client, settings: Settings) -> None:
    clock = Clock()
    stored = StoredKeys(client, clock)
    door = callers(stored, settings, clock)
    key = stored.create(Access(name="acme"), for_s=10)
    clock.now_s += 9.5
    await door.by(f"Bearer {key}")

    clock.now_s += 0.5
    with pytest.raises(KeyExpired):
        await door.by(f"Bearer {key}")


@pytest.mark.anyio
async def test_a_key_that_was_unknown_a_moment_ago_is_looked_for_again(client: Client, settings: Settings) -> None:
    clock = Clock()

    class Late(StoredKeys):
        is_there = False

        def find(self, digest: str) -> "object":  # type: ignore[override]
            return super().find(digest) if self.is_there else None

    stored = Late(client, clock)
    door = callers(stored, settings, clock)
    key = stored.create(Access(name="acme"))
    with pytest.raises(Unauthorized):
        await door.by(f"Bearer {key}")

    stored.is_there = True

    assert (await door.by(f"Bearer {key}")).name == "acme"


@pytest.mark.anyio
async def test_where_no_key_is_asked_for_any_other_is_anonymous_and_a_revoked_one_is_refused(
    stored: StoredKeys, settings: Settings
) -> None:
    door = callers(stored, settings, Clock(), are_required=False)
    key = stored.create(Access(name="acme"))
    stored.revoke("acme")

    assert (await door.by("Bearer none")).name == "anonymous"
    assert (await door.by(None)).is_admin
    with pytest.raises(KeyRevoked):
        await door.by(f"Bearer {key}")


@pytest.mark.anyio
async def test_a_key_that_cannot_be_looked_for_is_not_taken_for_another(settings: Settings) -> None:
    door = callers(StoredKeys(connect("unix:///nowhere/redis.sock")), settings, Clock(), are_required=False)

    with pytest.raises(RedisUnavailable):
        await door.by("Bearer something")
