"""What an operator is shown of lines, running jobs and workers."""

import pytest

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.overview import LATELY_MS, Overview
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job, StoredImage
from darkroom.request import Priority
from tests.conftest import MakeRequest

IMAGES = [
    StoredImage(index=n, seed=7, key="x", content_type="image/png", width=64, height=64, bytes=9, sha256="ab")
    for n in range(2)
]


@pytest.fixture
def overview(client: Client) -> Overview:
    return Overview(client)


@pytest.fixture
def job(store: JobStore, claims: Claims, request_of: MakeRequest) -> Job:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "worker-1")
    assert job
    return job


def test_a_line_is_shown_by_class_with_its_oldest_job_and_its_work(
    overview: Overview, store: JobStore, request_of: MakeRequest
) -> None:
    oldest = store.enqueue("alice", request_of(priority=Priority.BULK, steps=4)).job
    for _ in range(2):
        store.enqueue("alice", request_of())

    line = overview.line("minilab")

    assert (line.interactive, line.bulk, line.work) == (2, 1, 6)
    assert line.oldest_ms is not None
    assert oldest.created_ms - 1000 < line.oldest_ms <= oldest.created_ms


def test_an_empty_line_has_no_oldest_job(overview: Overview) -> None:
    line = overview.line("minilab")

    assert (line.interactive, line.bulk, line.oldest_ms, line.work) == (0, 0, None, 0)


def test_running_jobs_are_shown_and_no_others(overview: Overview, store: JobStore, job: Job, claims: Claims) -> None:
    assert [running.id for running in overview.running()] == [job.id]

    claims.succeed(job, IMAGES)

    assert overview.running() == []


def test_images_of_the_last_minute_are_counted_for_the_worker_that_made_them(
    overview: Overview, store: JobStore, client: Client, claims: Claims, job: Job, request_of: MakeRequest
) -> None:
    claims.succeed(job, IMAGES)
    store.cancel(store.enqueue("alice", request_of()).job.id)
    assert overview.made_lately() == {"worker-1": 2}

    client.zadd(keys.FINAL(), {job.id: overview.now_ms() - LATELY_MS - 1})

    assert overview.made_lately() == {}
