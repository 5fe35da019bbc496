"""When a client that was refused is told to come back: after the time that a tenth of the line takes all lanes."""

import math

import pytest

from darkroom.errors import QueueFull
from darkroom.estimates.speeds import CROWDING
from darkroom.job_store import keys
from darkroom.job_store.presence import report
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from tests.conftest import MakeRequest

# Alone, a lane does a megapixel-step a second.
ALONE = {"interactive all 0": "10 100 100 100"}


def retry_after_s(store: JobStore, request_of: MakeRequest) -> int:
    """Of a line with room for 40 jobs, each of 10 megapixel-steps."""
    for _ in range(40):
        store.enqueue("alice", request_of(steps=10))
    with pytest.raises(QueueFull) as full:
        store.enqueue("alice", request_of(steps=10))
    return full.value.retry_after_s


@pytest.mark.parametrize("workers", [1, 2])
def test_it_is_measured_and_counts_every_lane(
    workers: int, store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    for number in range(workers):
        report(client, WorkerInfo(f"gpu-{number}", "gpu", ["minilab"], lanes=4))
    client.hset(keys.SPEEDS("minilab"), mapping=ALONE)
    work_per_s = workers * 4 / math.pow(4, CROWDING)

    assert retry_after_s(store, request_of) == math.ceil(40 / work_per_s)


def test_of_a_short_line_it_is_the_time_of_two_jobs(
    client: Client, settings: Settings, request_of: MakeRequest
) -> None:
    report(client, WorkerInfo("gpu", "gpu", ["minilab"], lanes=4))
    client.hset(keys.SPEEDS("minilab"), mapping=ALONE)
    short = JobStore(client, settings.model_copy(update={"max_waiting_per_key": 1}))
    short.enqueue("alice", request_of(steps=10))

    with pytest.raises(QueueFull) as full:
        short.enqueue("alice", request_of(steps=10))

    assert full.value.retry_after_s == math.ceil(20 / math.pow(4, 1 - CROWDING))


def test_it_is_half_a_minute_while_nothing_was_measured(store: JobStore, request_of: MakeRequest) -> None:
    assert retry_after_s(store, request_of) == 30
