"""The schema, against the scripts and modules that use it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.access.access import Access
from darkroom.errors import GenerationFailed
from darkroom.inputs import Input, new_upload_id
from darkroom.job_store import keys
from darkroom.job_store.access.request_rate import RequestRate
from darkroom.job_store.access.stored_keys import StoredKeys
from darkroom.job_store.claims import Claims
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.key import Key
from darkroom.job_store.key_use import KeyUse
from darkroom.job_store.presence import report
from darkroom.job_store.redis_client import Client
from darkroom.job_store.scripts import FOLDER
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.job_store.webhooks.signing_secrets import SigningSecrets
from darkroom.jobs import Job
from darkroom.webhooks.delivery import Webhook
from darkroom.workers import WorkerInfo
from tests.conftest import MakeRequest

BY_NAME = {key.name: key for key in keys.ALL}
# A call such as key('line', model, class), and its name and parts.
USE = re.compile(r"\bkey\('(\w+)'((?:, *[^,()]+)*)\)")


def uses() -> Iterator[tuple[str, str, int]]:
    for path in sorted(FOLDER.glob("*.lua")):
        for name, parts in USE.findall(path.read_text(encoding="utf-8")):
            yield path.name, name, parts.count(",")


def test_scripts_ask_for_keys_that_are_there_with_all_their_parts() -> None:
    wrong = [use for use in uses() if use[1] not in BY_NAME or BY_NAME[use[1]].parts != use[2]]

    assert wrong == []


def test_no_key_is_left_over(repository: Path) -> None:
    in_scripts = {name for _, name, _ in uses()}
    modules = (path for path in (repository / "darkroom/job_store").rglob("*.py") if path.name != "keys.py")
    in_modules = set(re.findall(r"\bkeys\.([A-Z_]+)", "".join(path.read_text(encoding="utf-8") for path in modules)))

    assert [key.name for key in keys.ALL if key.name not in in_scripts | {name.lower() for name in in_modules}] == []


def test_who_writes_a_key_is_there(repository: Path) -> None:
    there = {path.name for path in (repository / "darkroom/job_store").rglob("*.*")}

    assert {name for key in keys.ALL for name in key.written_by} <= there


def test_a_key_takes_its_parts_and_no_others() -> None:
    assert keys.LINE("minilab", "bulk") == "darkroom:line:minilab:bulk"
    with pytest.raises(TypeError, match="has 2 parts, not 1"):
        keys.LINE("minilab")


def test_what_redis_holds_is_what_the_schema_says(
    client: Client, store: JobStore, claims: Claims, upkeep: Upkeep, request_of: MakeRequest
) -> None:
    live_many_lives(store, claims, request_of)
    keep_inputs(InputRecords(client), store, request_of)
    report(client, WorkerInfo("worker-1", "gpu"))
    KeyUse(client).note("web")
    StoredKeys(client).create(Access(name="acme"))
    RequestRate(client).take("acme", 60)
    owe_a_webhook(client, store, request_of)
    upkeep.note_surplus("minilab", 1)
    upkeep.takes_turn()

    held = {key: client.type(key).replace("zset", "sorted set") for key in client.keys("*")}

    kept = [key for key in keys.ALL if key.type != "channel"]
    assert [key.pattern for key in kept if not any(fits(key, *pair) for pair in held.items())] == []
    assert [pair for pair in held.items() if not any(fits(key, *pair) for key in kept)] == []


def live_many_lives(store: JobStore, claims: Claims, request_of: MakeRequest) -> None:
    """Jobs that succeed, are withdrawn, are canceled as they run, fail for good, may be poison, or wait."""
    store.enqueue("alice", request_of(), idempotency_key="again", fingerprint="body")
    claims.succeed(claim(claims), [])
    store.withdraw(store.enqueue("alice", request_of()).job.id)
    store.enqueue("alice", request_of())
    store.cancel(claim(claims).id)
    for attempts in (3, 2):
        store.enqueue("alice", request_of())
        for _ in range(attempts):
            claims.try_again(claim(claims), GenerationFailed("It went wrong."))
    claims.preview(claim(claims), 1, 2, [])
    store.enqueue("alice", request_of(deadline_s=60))


def owe_a_webhook(client: Client, store: JobStore, request_of: MakeRequest) -> None:
    store.cancel(store.enqueue("alice", request_of(), webhook=Webhook("https://shop.example/")).job.id)
    Deliveries(client).disable("alice", "https://gone.example/")
    SigningSecrets(client).of("alice")


def keep_inputs(inputs: InputRecords, store: JobStore, request_of: MakeRequest) -> None:
    """One is used, one waits to be, one was never recorded."""
    used, unused = (Input(new_upload_id(), 64, 64) for _ in range(2))
    inputs.keep(used, "alice", "digest of one", 60)
    inputs.keep(unused, "alice", "digest of the other", 60)
    inputs.announce(new_upload_id())
    store.enqueue("alice", request_of(image=(used.id,)))


def claim(claims: Claims) -> Job:
    job = claims.claim_next("minilab", "worker-1")
    assert job
    return job


def fits(of: Key, key: str, kind: str) -> bool:
    return kind == of.type and re.fullmatch(re.escape(of.prefix) + ":[^:]+" * of.parts, key) is not None
