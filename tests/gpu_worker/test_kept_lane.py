"""A wake-up of a bulk job that finds only the lane kept for interactive jobs free waits, and is not lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from darkroom.request import Priority
from gpu_worker.generate import generate
from gpu_worker.jobs.job_end import Outcome, TaskEnd
from gpu_worker.jobs.lanes import Lanes, LineBell
from gpu_worker.node import Node
from tests.conftest import MakeRequest
from tests.eventually import eventually
from tests.gpu_worker.fakes import FakeLane


class Busy:
    """A node of two lanes, one of them kept and the other one busy with a bulk job until it is told to go on."""

    def __init__(self, node: Node) -> None:
        self.lanes = Lanes([FakeLane(), FakeLane()], kept_for_interactive=1)
        self.node = replace(node, lanes={"minilab": self.lanes})
        self.ends: list[TaskEnd] = []

    @contextmanager
    def running(self, bulk: str) -> Iterator[None]:
        with self.lanes.next_job(lambda classes: self.node.claims.claim_next("minilab", "w", classes)) as taken:
            assert taken
            assert taken[1].id == bulk
            yield

    def wake(self) -> threading.Thread:
        thread = threading.Thread(target=lambda: self.ends.append(generate("minilab", self.node)))
        thread.start()
        return thread


@pytest.fixture
def busy(node: Node) -> Busy:
    return Busy(node)


@pytest.fixture
def bulk(store: JobStore, request_of: MakeRequest) -> list[str]:
    return [store.enqueue("alice", request_of(priority=Priority.BULK)).job.id for _ in range(2)]


def test_it_takes_the_bulk_job_when_the_other_lane_is_free(busy: Busy, store: JobStore, bulk: list[str]) -> None:
    with busy.running(bulk[0]):
        waiting = busy.wake()
        assert generate("minilab", busy.node, patience_s=0).outcome is Outcome.NOT_NOW
        assert store.get(bulk[1]).state is JobState.QUEUED

    waiting.join(timeout=10)
    assert busy.ends == [TaskEnd(Outcome.DRAWN)]
    assert store.get(bulk[1]).state is JobState.RUNNING, "it waits in the outbox"


def test_it_takes_an_interactive_job_as_soon_as_one_comes(
    busy: Busy, store: JobStore, client: Client, request_of: MakeRequest, bulk: list[str]
) -> None:
    bell = LineBell(client, busy.node.lanes)
    bell.start()
    with busy.running(bulk[0]):
        waiting = busy.wake()

        interactive = store.enqueue("bob", request_of()).job.id

        waiting.join(timeout=10)
        assert store.get(interactive).state is JobState.RUNNING
        assert store.get(bulk[1]).state is JobState.QUEUED
    bell.stop()
    assert busy.ends == [TaskEnd(Outcome.DRAWN)]


def test_the_bell_rings_for_interactive_jobs_alone(
    busy: Busy, store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    bell = LineBell(client, busy.node.lanes)
    bell.start()
    eventually(lambda: client.pubsub_numsub(keys.LINE_BELL("minilab"))[0][1], what="a bell that listens")

    store.enqueue("alice", request_of(priority=Priority.BULK))
    store.enqueue("alice", request_of())

    eventually(lambda: busy.lanes.changes)
    bell.stop()
    assert busy.lanes.changes == 1


def test_it_ends_when_others_took_all_that_waited(busy: Busy, claims: Claims, bulk: list[str]) -> None:
    with busy.running(bulk[0]):
        waiting = busy.wake()

        assert claims.claim_next("minilab", "other")
        busy.lanes.look()

        waiting.join(timeout=10)
    assert busy.ends == [TaskEnd(Outcome.NO_JOB)]


def test_it_is_handed_on_when_its_worker_leaves(busy: Busy, bulk: list[str]) -> None:
    with busy.running(bulk[0]):
        waiting = busy.wake()

        busy.node.draining.set()

        waiting.join(timeout=10)
    assert busy.ends == [TaskEnd(Outcome.NOT_NOW)]
