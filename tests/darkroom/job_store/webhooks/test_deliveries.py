"""Webhooks that are owed: by which events, until when, and to whom they are given to be sent."""

import pytest

from darkroom.errors import GenerationFailed
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.webhooks.deliveries import TAKEN_FOR_MS, Deliveries, NoSuchWebhook
from darkroom.job_store.webhooks.signing_secrets import GRACE_S, SigningSecrets
from darkroom.jobs import Job
from darkroom.webhooks.delivery import EVENTS, Delivery, Try, Webhook
from tests.conftest import MakeRequest

HOOK = Webhook("https://shop.example/hook")
FAILED = Try(at_ms=1, status=500)


@pytest.fixture
def deliveries(client: Client) -> Deliveries:
    return Deliveries(client)


@pytest.fixture
def job(store: JobStore, claims: Claims, request_of: MakeRequest) -> Job:
    store.enqueue("alice", request_of(), webhook=HOOK)
    job = claims.claim_next("minilab", "w")
    assert job
    return job


def owed(client: Client) -> list[str]:
    return [member.partition(" ")[2] for member in client.zrange(keys.WEBHOOKS_DUE(), 0, -1)]


@pytest.mark.parametrize("end", ["succeeded", "failed", "canceled"])
def test_each_end_of_a_job_owes_one(end: str, store: JobStore, claims: Claims, client: Client, job: Job) -> None:
    match end:
        case "succeeded":
            claims.succeed(job, [])
        case "failed":
            claims.fail(job, GenerationFailed("It went wrong."))
        case _:
            store.cancel(job.id)

    assert owed(client) == [end]


def test_a_job_owes_what_it_was_asked_for_and_once(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of(), webhook=Webhook(HOOK.url, ("started", "failed")))
    store.enqueue("bob", request_of())
    for _ in range(3):
        job = claims.claim_next("minilab", "w")
        assert job
        claims.try_again(job, GenerationFailed("It went wrong."))

    assert owed(client) == ["started", "failed"]


def test_one_that_was_taken_is_not_given_to_another_until_its_time_is_over(
    deliveries: Deliveries, claims: Claims, client: Client, job: Job
) -> None:
    claims.succeed(job, [])

    [taken] = deliveries.take(10)

    assert (taken.event, taken.id) == ("succeeded", f"msg_{job.id}_succeeded")
    assert deliveries.take(10) == []
    client.zincrby(keys.WEBHOOKS_DUE(), -TAKEN_FOR_MS - 1, f"{job.id} succeeded")  # whoever took it was killed
    assert deliveries.take(10) == [taken]


def test_one_that_was_settled_is_owed_no_more(deliveries: Deliveries, claims: Claims, client: Client, job: Job) -> None:
    claims.succeed(job, [])
    [taken] = deliveries.take(10)

    deliveries.settle(taken, Try(at_ms=1, status=204), "delivered")

    assert owed(client) == []
    [kept] = deliveries.of_job(job.id)
    assert (kept.state, kept.tries[0].status, deliveries.failed(kept)) == ("delivered", 204, 0)


def test_failed_tries_are_counted_until_it_is_asked_for_again(deliveries: Deliveries, claims: Claims, job: Job) -> None:
    claims.succeed(job, [])
    for count in (1, 2):
        [last] = deliveries.of_job(job.id)
        deliveries.put_off(last, 0, FAILED)
        assert deliveries.failed(last) == count
    [last] = deliveries.of_job(job.id)
    deliveries.settle(last, FAILED, "failed")

    deliveries.redeliver(job.id, "succeeded")

    [again] = deliveries.take(10)
    assert (deliveries.failed(again), len(again.tries), again.id) == (0, 3, last.id)


def test_what_is_not_owed_is_not_sent_again(deliveries: Deliveries, job: Job) -> None:
    with pytest.raises(NoSuchWebhook):
        deliveries.redeliver(job.id, "succeeded")


def test_a_deleted_job_owes_nothing_and_leaves_nothing(
    deliveries: Deliveries, store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    job_id = store.enqueue("alice", request_of(), webhook=Webhook(HOOK.url, EVENTS)).job.id
    store.cancel(job_id)
    [taken] = deliveries.take(10)

    store.delete(job_id)
    deliveries.settle(taken, FAILED, "failed")

    assert owed(client) == []
    assert deliveries.of_job(job_id) == []


def test_a_url_that_was_disabled_is_so_for_its_owner_for_a_week(deliveries: Deliveries, client: Client) -> None:
    deliveries.disable("alice", HOOK.url)

    assert deliveries.is_disabled("alice", HOOK.url)
    assert not deliveries.is_disabled("bob", HOOK.url)
    assert 0 < client.ttl(keys.WEBHOOKS_DISABLED("alice")) <= 7 * 86_400


def test_a_secret_is_made_once_and_its_successor_has_it_beside_for_a_day(client: Client) -> None:
    secrets = SigningSecrets(client)
    first = secrets.of("alice")
    assert secrets.of("alice") == first
    assert first.current.startswith("whsec_")

    second = secrets.rotate("alice")

    assert secrets.of("alice") == second
    assert second.all == (second.current, first.current)
    client.hincrby(keys.WEBHOOK_SECRET("alice"), "previous_until_s", -GRACE_S)
    assert secrets.of("alice").all == (second.current,)


def test_only_so_many_tries_are_kept(deliveries: Deliveries, claims: Claims, job: Job) -> None:
    claims.succeed(job, [])
    for number in range(25):
        [last] = deliveries.of_job(job.id)
        deliveries.put_off(last, 0, Try(at_ms=number))

    [kept] = deliveries.of_job(job.id)
    assert [each.at_ms for each in kept.tries] == list(range(5, 25))
    assert isinstance(kept, Delivery)
