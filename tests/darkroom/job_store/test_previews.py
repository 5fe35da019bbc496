"""Previews in the job store: one a job, beside its events, and only while it runs."""

import asyncio

import pytest

from darkroom.completion import complete
from darkroom.errors import InvalidRequest, JobTaken
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.events import FIRST, Event, EventFeed
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job
from darkroom.request import GenerateBody
from darkroom.settings import Settings
from tests.conftest import MakeRequest

PICTURE = "data:image/webp;base64,UklGRg=="


@pytest.fixture
def job(store: JobStore, claims: Claims, request_of: MakeRequest) -> Job:
    store.enqueue("alice", request_of(steps=20, preview_every=5))
    job = claims.claim_next("minilab", "worker-1")
    assert job
    return job


def read(redis_url: str, job: Job, after: str = FIRST) -> Event | None:
    async def reading() -> Event | None:
        feed = EventFeed(redis_url)
        preview = await feed.preview(job.id, after)
        await feed.close()
        return preview

    return asyncio.run(reading())


def test_only_the_newest_is_kept(claims: Claims, job: Job, redis_url: str, client: Client) -> None:
    for step in (5, 10, 15):
        claims.preview(job, step, 20, [f"{PICTURE}{step}"])

    newest = read(redis_url, job)

    assert newest
    assert newest.type == "preview"
    assert newest.data == {
        "step": 15, "steps": 20, "images": [f"{PICTURE}15"], "at_ms": int(newest.id.partition("-")[0])
    }  # fmt: skip
    assert client.xlen(keys.PREVIEW(job.id)) == 1


def test_who_has_it_is_not_given_it_again(claims: Claims, job: Job, redis_url: str) -> None:
    claims.preview(job, 5, 20, [PICTURE])
    seen = read(redis_url, job)
    assert seen

    assert read(redis_url, job, after=seen.id) is None

    claims.preview(job, 10, 20, [PICTURE])
    newer = read(redis_url, job, after=seen.id)
    assert newer
    assert newer.data["step"] == 10


def test_the_job_s_own_events_lose_no_room_to_it(claims: Claims, job: Job, client: Client) -> None:
    before = client.xinfo_stream(keys.EVENTS(job.id))["last-generated-id"]

    claims.preview(job, 5, 20, [PICTURE])

    assert client.xinfo_stream(keys.EVENTS(job.id))["last-generated-id"] == before


def test_previews_however_many_take_the_memory_of_one(claims: Claims, job: Job, client: Client) -> None:
    large = ["x" * 60_000]
    claims.preview(job, 1, 100, large)
    one = client.memory_usage(keys.PREVIEW(job.id))

    for step in range(2, 60):
        claims.preview(job, step, 100, large)

    assert client.memory_usage(keys.PREVIEW(job.id)) <= 1.1 * one


def test_it_goes_by_itself_when_its_worker_says_nothing_more(claims: Claims, job: Job, client: Client) -> None:
    claims.preview(job, 5, 20, [PICTURE])

    assert 0 < client.ttl(keys.PREVIEW(job.id)) <= 600


@pytest.mark.parametrize("end", ["succeeds", "fails", "is canceled", "is given back"])
def test_it_is_gone_when_the_job_no_longer_runs_and_none_follows(
    end: str, claims: Claims, store: JobStore, job: Job, redis_url: str, client: Client
) -> None:
    claims.preview(job, 5, 20, [PICTURE])

    match end:
        case "succeeds":
            claims.succeed(job, [])
        case "fails":
            claims.fail(job, JobTaken("for any reason"))
        case "is canceled":
            store.cancel(job.id)
        case _:
            claims.give_back(job)

    with pytest.raises(JobTaken):
        claims.preview(job, 10, 20, [PICTURE])
    assert read(redis_url, job) is None
    assert not client.exists(keys.PREVIEW(job.id))


def test_a_worker_that_lost_the_job_shows_nothing_to_its_watchers(claims: Claims, job: Job, redis_url: str) -> None:
    claims.give_back(job)
    again = claims.claim_next("minilab", "worker-2")
    assert again

    with pytest.raises(JobTaken):
        claims.preview(job, 10, 20, [PICTURE])

    assert read(redis_url, again) is None


@pytest.mark.parametrize("every", [-1, 1001])
def test_out_of_bounds_is_a_fault_of_its_own(every: int, settings: Settings) -> None:
    from darkroom.catalogue import read_catalogue

    body = GenerateBody(prompt="a red circle", preview_every=every)

    with pytest.raises(InvalidRequest) as caught:
        complete(body, read_catalogue(settings.catalogue), settings, draw_seed=lambda: 1)

    assert [(fault.field, fault.code) for fault in caught.value.faults] == [
        ("preview_every", "preview_every_out_of_range")
    ]


def test_a_record_from_before_there_were_previews_is_read_as_one_without(request_of: MakeRequest) -> None:
    old = request_of().model_dump(exclude={"preview_every"})

    assert request_of().model_validate(old).preview_every == 0
