"""How a worker leaves. Waits end by what the test says, or are none at all."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from darkroom.settings import Settings
from gpu_worker.drain import Drain, give_back
from gpu_worker.node import Node
from tests.queued import queued
from tests.servers import free_port
from tests.worker_fixtures import StartJob

FOR_EVER_S = 3600.0
SOON_S = 20.0


@dataclass
class Worker:
    """What a drain works on, and what came of it."""

    draining: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    said: list[str] = field(default_factory=list)
    exits: "queue.Queue[int]" = field(default_factory=queue.Queue)

    def last_work(self) -> None:
        self.said.append("last_work")

    @contextmanager
    def leaving(
        self, grace_s: float, prompt_s: float = FOR_EVER_S, last_work: Callable[[], None] | None = None
    ) -> Iterator[Drain]:
        drain = Drain(grace_s, self.draining, self.stopping, last_work or self.last_work, self.exits.put, prompt_s)
        drain.start()
        yield drain
        drain.left()


def test_told_once_it_lets_jobs_finish() -> None:
    worker = Worker()

    with worker.leaving(grace_s=FOR_EVER_S) as drain:
        drain.leave()
        assert worker.draining.wait(SOON_S)

    assert not worker.stopping.is_set()
    assert worker.exits.empty()


def test_told_twice_it_stops_at_once() -> None:
    worker = Worker()

    with worker.leaving(grace_s=FOR_EVER_S) as drain:
        drain.leave()
        drain.leave()
        assert worker.stopping.wait(SOON_S)

    assert worker.exits.empty(), "all its threads stopped in time"


def test_it_stops_when_the_grace_period_is_over() -> None:
    worker = Worker()

    with worker.leaving(grace_s=0.0) as drain:
        drain.leave()
        assert worker.stopping.wait(SOON_S)


def test_whatever_hangs_is_left_behind_after_its_last_work() -> None:
    worker = Worker()

    with worker.leaving(grace_s=0.0, prompt_s=0.0) as drain:
        drain.leave()

        assert worker.exits.get(timeout=SOON_S) == 0
        assert worker.said == ["last_work"]


def test_told_a_third_time_it_waits_for_nothing() -> None:
    worker = Worker()

    with worker.leaving(grace_s=FOR_EVER_S) as drain:
        for _ in range(3):
            drain.leave()

        assert worker.exits.get(timeout=SOON_S) == 0


def test_last_work_that_fails_keeps_nobody() -> None:
    worker = Worker()

    def fail() -> None:
        raise ValueError("unforeseen")

    with worker.leaving(grace_s=0.0, prompt_s=0.0, last_work=fail) as drain:
        drain.leave()

        assert worker.exits.get(timeout=SOON_S) == 0


def test_a_worker_that_ends_without_being_told_ends_quietly() -> None:
    worker = Worker()

    with worker.leaving(grace_s=0.0):
        pass

    assert not worker.draining.is_set()
    assert worker.exits.empty()


def test_a_hang_counts_against_the_jobs_in_that_forward_alone(
    node: Node, start_job: StartJob, store: JobStore, client: Client, redis_url: str
) -> None:
    guilty, innocent = start_job(), start_job()

    with node.leases.hold(guilty), node.leases.hold(innocent):
        give_back(node, {guilty.id})

    assert {store.get(job.id).state for job in (guilty, innocent)} == {JobState.QUEUED}
    assert [client.hget(keys.JOB(job.id), "failed_attempts") for job in (guilty, innocent)] == ["1", None]
    assert [message["cause"] for message in queued(redis_url, "gpu.minilab")] == [guilty.id, innocent.id]


def test_a_job_that_hangs_every_worker_becomes_a_dead_letter(
    node: Node, start_job: StartJob, store: JobStore, claims: Claims, client: Client
) -> None:
    job = start_job()
    for _ in range(3):
        with node.leases.hold(job):
            give_back(node, {job.id})
        job = claims.claim_next("minilab", "worker-1") or job

    [letter] = DeadLetters(client, store).all()
    assert letter.job.failure
    assert letter.job.failure.code == "worker_lost"
    assert [entry.reason for entry in letter.history] == ["worker_hung"] * 3


def test_without_redis_jobs_are_left_to_their_leases(
    node: Node, start_job: StartJob, store: JobStore, settings: Settings
) -> None:
    job = start_job()

    with connect(f"redis://127.0.0.1:{free_port()}/0") as nobody, node.leases.hold(job):
        give_back(replace(node, claims=Claims(nobody, settings)), {job.id})

    assert store.get(job.id).state is JobState.RUNNING
