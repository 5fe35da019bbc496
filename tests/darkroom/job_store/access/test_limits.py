"""Bounds on what a key may have and ask for: each at its edge, and what is counted when a job ends."""

import pytest

from darkroom.access.access import Access, Limits
from darkroom.errors import DailyLimit, GenerationFailed, RateLimited, UnfinishedLimit, WaitingLimit
from darkroom.job_store import keys
from darkroom.job_store.access.request_rate import RequestRate
from darkroom.job_store.access.usage import Usage, Used
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from tests.conftest import MakeRequest

TWO_UNFINISHED = Access(name="acme", limits=Limits(unfinished=2))
TEN_A_DAY = Access(name="acme", limits=Limits(daily_megapixel_steps=10))


@pytest.fixture
def usage(client: Client) -> Usage:
    return Usage(client)


def test_a_key_s_own_bound_on_waiting_jobs_goes_before_the_settings(store: JobStore, request_of: MakeRequest) -> None:
    one = Access(name="acme", limits=Limits(waiting=1))
    store.enqueue("acme", request_of(), access=one)

    with pytest.raises(WaitingLimit, match="1 of your jobs wait for minilab already"):
        store.enqueue("acme", request_of(), access=one)

    store.enqueue("acme", request_of())


@pytest.mark.parametrize("end", ["succeeds", "fails", "is canceled", "is withdrawn", "dies"])
def test_a_place_is_free_again_when_a_job_has_ended(
    end: str, store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    last = None
    for _ in range(2):
        last = store.enqueue("acme", request_of(), access=TWO_UNFINISHED).job
    with pytest.raises(UnfinishedLimit, match="2 of your jobs wait or run"):
        store.enqueue("acme", request_of(), access=TWO_UNFINISHED)
    assert last

    if end in {"is canceled", "is withdrawn"}:
        (store.cancel if end == "is canceled" else store.withdraw)(last.id)
    else:
        run(end, claims, store, request_of)

    assert client.hget(keys.UNFINISHED(), "acme") == "1"
    store.enqueue("acme", request_of(), access=TWO_UNFINISHED)


def run(end: str, claims: Claims, store: JobStore, request_of: MakeRequest) -> None:
    job = claims.claim_next("minilab", "w")
    assert job
    with pytest.raises(UnfinishedLimit):  # one that runs has not ended
        store.enqueue("acme", request_of(), access=TWO_UNFINISHED)
    wrong = GenerationFailed("It went wrong.")
    match end:
        case "succeeds":
            claims.succeed(job, [])
        case "fails":
            claims.fail(job, wrong)
        case _:
            for _ in range(2):
                claims.try_again(job, wrong)
                job = claims.claim_next("minilab", "w")
                assert job
            claims.try_again(job, wrong)


def test_who_has_no_job_left_is_not_counted(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("acme", request_of())
    store.cancel(store.enqueue("acme", request_of()).job.id)
    job = claims.claim_next("minilab", "w")
    assert job
    claims.succeed(job, [])

    assert client.exists(keys.UNFINISHED()) == 0


def test_work_is_bounded_by_day(store: JobStore, request_of: MakeRequest) -> None:
    store.enqueue("acme", request_of(steps=7), access=TEN_A_DAY)

    with pytest.raises(DailyLimit, match="is 4 megapixel-steps, and this key has 3 of its 10 left") as refused:
        store.enqueue("acme", request_of(steps=4), access=TEN_A_DAY)

    assert 0 < refused.value.retry_after_s <= 86_400
    store.enqueue("acme", request_of(steps=3), access=TEN_A_DAY)


def test_work_of_another_day_does_not_count(store: JobStore, client: Client, request_of: MakeRequest) -> None:
    store.enqueue("acme", request_of(steps=10), access=TEN_A_DAY)
    [today] = client.keys(keys.USAGE("acme", "*"))
    client.rename(today, keys.USAGE("acme", str(int(today.rpartition(":")[2]) - 1)))

    store.enqueue("acme", request_of(steps=10), access=TEN_A_DAY)


def test_usage_is_told_by_day_and_model(store: JobStore, usage: Usage, client: Client, request_of: MakeRequest) -> None:
    store.enqueue("acme", request_of(steps=2))
    store.enqueue("acme", request_of(steps=3, n=2))
    [today] = client.keys(keys.USAGE("acme", "*"))
    client.copy(today, keys.USAGE("acme", str(int(today.rpartition(":")[2]) - 2)))
    store.enqueue("acme", request_of(model="other"))

    first, before = usage.days("acme")

    assert first.total == Used(3, 9.0)
    assert first.models == {"minilab": Used(2, 8.0), "other": Used(1, 1.0)}
    assert (first.date - before.date).days == 2
    assert before.models == {"minilab": Used(2, 8.0)}
    assert [day.date for day in usage.days("acme", 2)] == [first.date]
    assert usage.today("acme") == 9.0
    assert 39 * 86_400 < client.ttl(today) <= 40 * 86_400


def test_what_no_worker_has_had_is_given_back(
    store: JobStore, claims: Claims, usage: Usage, request_of: MakeRequest
) -> None:
    store.enqueue("acme", request_of(steps=2))
    begun = claims.claim_next("minilab", "w")
    assert begun
    canceled, withdrawn = (store.enqueue("acme", request_of(steps=steps)).job.id for steps in (3, 4))

    store.cancel(canceled)
    store.withdraw(withdrawn)
    store.cancel(begun.id)

    [day] = usage.days("acme")
    assert day.total == Used(1, 2.0)


def test_a_repeated_request_is_counted_once(store: JobStore, usage: Usage, request_of: MakeRequest) -> None:
    for _ in range(3):
        store.enqueue("acme", request_of(steps=6), access=TEN_A_DAY, idempotency_key="k", fingerprint="body")

    assert usage.today("acme") == 6.0


def test_so_many_requests_a_minute_and_no_more(client: Client) -> None:
    rate = RequestRate(client)

    windows = [rate.take("acme", 3) for _ in range(3)]
    with pytest.raises(RateLimited, match="may send 3 requests for images in a minute") as refused:
        rate.take("acme", 3)

    assert [window.left for window in windows] == [2, 1, 0]
    assert 55 < refused.value.retry_after_s <= 60
    assert rate.take("other", 3).left == 2


def test_a_request_leaves_the_window_after_a_minute(client: Client) -> None:
    rate = RequestRate(client)
    rate.take("acme", 1)
    [window] = client.keys(keys.REQUEST_RATE("*"))
    client.lset(window, 0, float(client.lindex(window, 0)) - 60.5)

    assert rate.take("acme", 1).left == 0
