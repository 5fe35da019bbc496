"""Redis has run a script, and the answer is lost on the way: the client sends it again, and nothing happens twice."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import GenerationFailed
from darkroom.inputs import Input
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.scripts import FOLDER, Scripts, source
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.job_store.webhooks.deliveries import Deliveries
from darkroom.jobs import Job, JobState
from darkroom.settings import Settings
from darkroom.webhooks.delivery import Webhook
from tests.conftest import image_request
from tests.lossy_link import lossy_link

SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.lua") if path.stem != "prelude")
LOST = GenerationFailed("It went wrong.")
PICTURE = Input("upl_1", 16, 16, has_alpha=False)


@dataclass(frozen=True)
class Side:
    """The job store as one client has it."""

    store: JobStore
    claims: Claims
    upkeep: Upkeep
    client: Client

    def enqueue(self) -> str:
        return self.store.enqueue("alice", image_request()).job.id

    def start(self) -> Job:
        """With another job in line behind it."""
        self.enqueue()
        self.enqueue()
        job = self.claims.claim_next("minilab", "w")
        assert job
        return job

    def finish(self) -> Job:
        job = self.start()
        self.claims.succeed(job, [])
        return job

    def end_long_ago(self) -> str:
        job_id = self.finish().id
        self.client.zadd(keys.FINAL(), {job_id: 1})
        return job_id


Act = Callable[[Side], object]
# What is made ready, and then the act whose first answer is lost, with the answer that its caller gets.
CASES: dict[str, Callable[[Side], tuple[Act, object]]] = {}


def case(script: str) -> Callable[[Callable[[Side], tuple[Act, object]]], None]:
    def keep(prepare: Callable[[Side], tuple[Act, object]]) -> None:
        CASES[script] = prepare

    return keep


@case("enqueue")
def _(ready: Side) -> tuple[Act, object]:
    ready.enqueue()
    return lambda side: side.store.enqueue("alice", image_request(), idempotency_key="k").is_repeat, False


@case("claim")
def _(ready: Side) -> tuple[Act, object]:
    first, _ = ready.enqueue(), ready.enqueue()
    return lambda side: getattr(side.claims.claim_next("minilab", "w"), "id", None), first


@case("progress")
def _(ready: Side) -> tuple[Act, object]:
    job = ready.start()
    return lambda side: side.claims.progress_of([(job, 1, 3), (job, 2, 3)]), set()


@case("preview")
def _(ready: Side) -> tuple[Act, object]:
    job = ready.start()
    return lambda side: side.claims.preview(job, 1, 3, ["data:,"]), None


@case("renew")
def _(ready: Side) -> tuple[Act, object]:
    job = ready.start()
    return lambda side: side.claims.renew([job]), set()


@case("finish")
def _(ready: Side) -> tuple[Act, object]:
    job = ready.start()
    return lambda side: side.claims.succeed(job, []), None


@case("requeue")
def _(ready: Side) -> tuple[Act, object]:
    job = ready.start()
    return lambda side: side.claims.try_again(job, LOST), "queued"


@case("cancel")
def _(ready: Side) -> tuple[Act, object]:
    job = ready.start()
    # The second finds what the first made of it.
    return lambda side: side.store.cancel(job.id), JobState.CANCELED


@case("delete")
def _(ready: Side) -> tuple[Act, object]:
    ids = [ready.finish().id, ready.start().id]
    return lambda side: side.store.delete_all(ids), 1


@case("withdraw")
def _(ready: Side) -> tuple[Act, object]:
    job_id, _ = ready.enqueue(), ready.enqueue()
    return lambda side: side.store.withdraw(job_id), True


@case("place")
def _(ready: Side) -> tuple[Act, object]:
    job_id = ready.enqueue()
    return lambda side: getattr(side.store.place(job_id), "position", None), 0


@case("followed_up")
def _(ready: Side) -> tuple[Act, object]:
    job = ready.finish()
    return lambda side: side.upkeep.followed_up(job.id, []), True


@case("keep_input")
def _(ready: Side) -> tuple[Act, object]:
    def keep(side: Side) -> str:
        return InputRecords(side.client).keep(PICTURE, "alice", "digest", for_s=60).input.id

    return keep, PICTURE.id


@case("drop_input")
def _(ready: Side) -> tuple[Act, object]:
    until_ms = InputRecords(ready.client).keep(PICTURE, "alice", "digest", for_s=60).until_ms
    return lambda side: InputRecords(side.client).drop(PICTURE.id, until_ms), True


@case("take_old")
def _(ready: Side) -> tuple[Act, object]:
    ready.end_long_ago()
    # What the lost answer named is due again after a while.
    return lambda side: Scripts(side.client).run("take_old", 10, 1000, 5), []


@case("take_webhooks")
def _(ready: Side) -> tuple[Act, object]:
    ready.store.cancel(ready.store.enqueue("alice", image_request(), webhook=Webhook("https://shop.example/")).job.id)
    # What the lost answer named is due again after a minute.
    return lambda side: Deliveries(side.client).take(5), []


@pytest.fixture
def ready(client: Client, settings: Settings) -> Side:
    return side_of(client, settings)


def side_of(client: Client, settings: Settings) -> Side:
    return Side(JobStore(client, settings), Claims(client, settings), Upkeep(client, settings), client)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_whose_answer_was_lost_is_sent_again_and_does_nothing_more(
    script: str, ready: Side, settings: Settings
) -> None:
    act, answer = CASES[script](ready)
    ready.client.script_load(source(script))
    after_the_first: list[dict[str, object]] = []

    with lossy_link(settings.redis_url) as link, connect(link.url) as client:
        sender = side_of(client, settings)
        # By now the process is connected, and knows what it asks only once.
        sender.store.withdraw(sender.enqueue())
        sender.claims.claim_next("no such model", "w")
        link.lose_answers(lambda: after_the_first.append(held(ready.client)))
        got = act(sender)

    assert [held(ready.client)] == after_the_first
    assert got == answer


def test_the_page_on_reliability_says_of_each_script_why_it_may_be_sent_again(repository: Path) -> None:
    page = (repository / "docs/reliability.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)\.lua` \|", page, re.MULTILINE) == SCRIPTS


def held(client: Client) -> dict[str, object]:
    """All that Redis holds, but for the moments at which leases and inputs end."""
    whole: dict[str, object] = {key: value_of(client, key) for key in client.keys("*")}
    timed = (keys.LEASES(), keys.INPUTS_UNUSED(), keys.INPUT_FILES())
    return whole | {key: client.zrange(key, 0, -1) for key in timed}


def value_of(client: Client, key: str) -> Any:
    match client.type(key):
        case "string":
            return client.get(key)
        case "hash":
            return {name: value for name, value in client.hgetall(key).items() if name != "kept_until_ms"}
        case "set":
            return client.smembers(key)
        case "zset":
            return client.zrange(key, 0, -1, withscores=True)
        case "stream":
            return client.xrange(key)
        case other:
            raise ValueError(f"{key} is a {other}.")
