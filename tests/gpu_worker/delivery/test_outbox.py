"""Drawn jobs on their way to a storage that is down, slow or back again. Time and upload threads are driven by hand."""

import threading
from dataclasses import replace

import pytest

from darkroom.errors import RedisUnavailable, StorageUnavailable
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job, JobState, StoredImage
from darkroom.settings import Settings
from gpu_worker.delivery.outbox import LOOK_S, Outbox
from gpu_worker.delivery.upload import Uploader
from gpu_worker.generate import generate
from gpu_worker.node import Node
from storage.keys import image_key
from tests.conftest import MakeRequest
from tests.gpu_worker.conftest import Clock
from tests.gpu_worker.fakes import FakeLane
from tests.gpu_worker.running import run_all, run_tasks
from tests.queued import queued
from tests.watched_storage import WatchedStorage, down, nothing

PAUSE_S = 10.0  # longer than any between two tries


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"delivery_patience_s": 600.0})


def post(store: JobStore, request_of: MakeRequest, count: int = 1) -> list[str]:
    return [store.enqueue("alice", request_of()).job.id for _ in range(count)]


def states(store: JobStore, jobs: list[str]) -> set[JobState]:
    return {store.get(job).state for job in jobs}


def outage(node: Node, clock: Clock, for_s: float) -> None:
    """Time passes, and upload threads try whenever they may."""
    ends_s = clock.now_s + for_s
    while clock.now_s < ends_s:
        clock.now_s += PAUSE_S
        run_tasks(node.outbox)


def test_an_outage_costs_tries_and_no_image(
    node: Node, storage: WatchedStorage, store: JobStore, lane: FakeLane, clock: Clock, request_of: MakeRequest
) -> None:
    jobs = post(store, request_of, 3)
    storage.before_put = down

    run_all("minilab", node)
    outage(node, clock, 590)
    assert states(store, jobs) == {JobState.RUNNING}
    storage.before_put = nothing
    outage(node, clock, PAUSE_S)

    assert states(store, jobs) == {JobState.SUCCEEDED}
    assert {store.get(job).attempt for job in jobs} == {1}
    assert len(lane.drawn) == 3


def test_a_lane_is_free_while_its_images_wait(
    node: Node, storage: WatchedStorage, store: JobStore, lane: FakeLane, request_of: MakeRequest
) -> None:
    storage.before_put = down
    post(store, request_of)
    run_all("minilab", node)

    post(store, request_of)
    run_all("minilab", node)

    assert len(lane.drawn) == 2


def test_leases_of_jobs_that_wait_are_renewed(
    node: Node, storage: WatchedStorage, store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    storage.before_put = down
    [job] = post(store, request_of)
    run_all("minilab", node)
    client.zadd(keys.LEASES(), {job: 1})

    node.leases.renew()

    assert client.zscore(keys.LEASES(), job) > 1


def test_a_job_that_is_delivered_is_held_no_more(node: Node, store: JobStore, request_of: MakeRequest) -> None:
    post(store, request_of)

    run_all("minilab", node)

    assert node.leases.jobs() == []


def test_images_wait_in_memory_and_leave_nothing_there(
    node: Node, storage: WatchedStorage, store: JobStore, settings: Settings, clock: Clock, request_of: MakeRequest
) -> None:
    storage.before_put = down
    [job] = post(store, request_of)
    run_all("minilab", node)

    waiting_bytes = node.outbox.backpressure.encoded_bytes
    storage.before_put = nothing
    outage(node, clock, PAUSE_S)

    assert len(storage.get(image_key(job, 0, "png"))) == waiting_bytes
    assert node.outbox.backpressure.encoded_bytes == 0


def test_what_was_stored_before_the_outage_is_not_stored_again(
    node: Node, storage: WatchedStorage, store: JobStore, clock: Clock, request_of: MakeRequest
) -> None:
    puts: list[int] = []

    def down_at_second() -> None:
        puts.append(len(puts))
        if len(puts) == 2:
            down()

    storage.before_put = down_at_second
    job = store.enqueue("alice", request_of(n=3)).job.id

    run_all("minilab", node)
    outage(node, clock, PAUSE_S)

    assert len(store.get(job).images) == 3
    assert len(puts) == 4


def test_one_try_at_a_time_asks_whether_storage_is_back(
    node: Node, storage: WatchedStorage, store: JobStore, clock: Clock, request_of: MakeRequest
) -> None:
    tries = []

    def count() -> None:
        tries.append(clock.now_s)
        down()

    storage.before_put = count
    post(store, request_of, 20)
    run_all("minilab", node)
    assert tries == [0.0]

    outage(node, clock, 3 * PAUSE_S)

    assert tries == [0.0, PAUSE_S, 2 * PAUSE_S, 3 * PAUSE_S]


def test_an_image_that_storage_refuses_does_not_hold_up_the_others(
    node: Node, storage: WatchedStorage, store: JobStore, clock: Clock, request_of: MakeRequest
) -> None:
    refused, *others = post(store, request_of, 4)
    put = storage.put

    def refuse(key: str, data: bytes, *, content_type: str) -> None:
        if refused in key:
            raise StorageUnavailable("Access denied.")
        put(key, data, content_type=content_type)

    storage.put = refuse  # type: ignore[method-assign]

    run_all("minilab", node)
    outage(node, clock, PAUSE_S)

    assert states(store, others) == {JobState.SUCCEEDED}
    assert store.get(refused).state is JobState.RUNNING


def test_an_outage_longer_than_our_patience_fails_the_job_and_says_why(
    node: Node, storage: WatchedStorage, store: JobStore, settings: Settings, clock: Clock, request_of: MakeRequest
) -> None:
    jobs = post(store, request_of, 3)
    storage.before_put = down
    run_all("minilab", node)

    outage(node, clock, 600 + 2 * PAUSE_S)

    for job in jobs:
        failure = store.get(job).failure
        assert failure
        assert failure.code == "delivery_failed"
        assert "could not be delivered for 600 s: The bucket does not answer." in failure.message
    assert node.outbox.backpressure.encoded_bytes == 0
    assert node.leases.jobs() == []


def test_a_job_that_was_never_tried_is_tried_once_though_its_time_is_over(
    node: Node, store: JobStore, clock: Clock, request_of: MakeRequest
) -> None:
    [job] = post(store, request_of)
    generate("minilab", node)
    clock.now_s = 700

    run_tasks(node.outbox)

    assert store.get(job).state is JobState.SUCCEEDED


def test_a_cancel_reaches_a_job_that_waits(
    node: Node, storage: WatchedStorage, store: JobStore, settings: Settings, clock: Clock, request_of: MakeRequest
) -> None:
    storage.before_put = down
    [job] = post(store, request_of)
    run_all("minilab", node)

    store.cancel(job)
    node.leases.renew()
    clock.now_s += LOOK_S
    run_tasks(node.outbox)

    assert node.outbox.backpressure.encoded_bytes == 0
    assert node.leases.jobs() == []


def test_a_deadline_reaches_a_job_that_waits(
    node: Node, storage: WatchedStorage, store: JobStore, settings: Settings, clock: Clock, request_of: MakeRequest
) -> None:
    storage.before_put = down
    [job] = post(store, request_of)
    run_all("minilab", node)

    clock.now_s = settings.job_deadline_s + 1
    run_tasks(node.outbox)

    failure = store.get(job).failure
    assert failure
    assert failure.code == "deadline_exceeded"


def test_jobs_that_wait_are_given_back_when_the_grace_period_is_over(
    node: Node,
    storage: WatchedStorage,
    store: JobStore,
    settings: Settings,
    stopping: threading.Event,
    redis_url: str,
    request_of: MakeRequest,
) -> None:
    storage.before_put = down
    jobs = post(store, request_of, 3)
    run_all("minilab", node)

    stopping.set()
    run_tasks(node.outbox)

    assert states(store, jobs) == {JobState.QUEUED}
    assert {message["cause"] for message in queued(redis_url, "gpu.minilab")} == set(jobs)
    assert node.outbox.backpressure.encoded_bytes == 0
    node.outbox.wait_until_empty()


class LateClaims(Claims):
    """A Redis that is away for the first ends."""

    def __init__(self, client: Client, settings: Settings, away_for: int) -> None:
        super().__init__(client, settings)
        self._away_for = away_for

    def succeed(self, job: Job, images: list[StoredImage]) -> None:
        self._away_for -= 1
        if self._away_for >= 0:
            raise RedisUnavailable("away for a moment")
        super().succeed(job, images)


def test_a_redis_that_is_away_at_the_end_costs_no_image_either(
    node: Node,
    storage: WatchedStorage,
    store: JobStore,
    client: Client,
    settings: Settings,
    lane: FakeLane,
    clock: Clock,
    request_of: MakeRequest,
) -> None:
    claims = LateClaims(client, settings, away_for=5)
    uploader = Uploader(storage, claims, node.wakeups, node.progress, node.outbox.backpressure, node.stopping)
    node = replace(node, outbox=Outbox(uploader, node.outbox.backpressure, 600, clock))
    [job] = post(store, request_of)

    run_all("minilab", node)
    outage(node, clock, 6 * PAUSE_S)

    assert store.get(job).state is JobState.SUCCEEDED
    assert len(lane.drawn) == 1
