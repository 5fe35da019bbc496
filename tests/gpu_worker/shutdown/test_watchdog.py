"""A hang is one and the same forward for too long; what a worker then does for its jobs."""

from dataclasses import replace

import pytest

from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from darkroom.settings import Settings
from gpu_worker.engine.forward import Forward
from gpu_worker.node import Node
from gpu_worker.shutdown.drain import give_back
from gpu_worker.shutdown.watchdog import LOOKS, Watchdog
from tests.gpu_worker.conftest import Clock
from tests.queued import queued
from tests.servers import free_port
from tests.worker_fixtures import StartJob

LIMIT_S = 300.0


class Networks:
    """Busy with whatever a test says."""

    def __init__(self) -> None:
        self.forward: Forward | None = None
        self.hung: list[Forward] = []


@pytest.fixture
def networks() -> Networks:
    return Networks()


@pytest.fixture
def watchdog(networks: Networks, clock: Clock) -> Watchdog:
    return Watchdog(lambda: networks.forward, networks.hung.append, LIMIT_S, clock)


def let_pass(watchdog: Watchdog, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds * LOOKS / LIMIT_S)):
        clock.now_s += LIMIT_S / LOOKS
        watchdog.look()


def test_a_forward_that_does_not_end_is_a_hang(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    networks.forward = Forward(1, frozenset({"job"}))
    watchdog.look()

    let_pass(watchdog, clock, LIMIT_S * 0.9)
    assert networks.hung == []
    let_pass(watchdog, clock, LIMIT_S * 0.1)

    assert networks.hung == [networks.forward]


def test_networks_that_move_are_left_alone(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    for number in range(5):
        networks.forward = Forward(number, frozenset({"job"}))
        let_pass(watchdog, clock, LIMIT_S * 0.9)

    assert networks.hung == []


def test_idle_networks_are_left_alone(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    networks.forward = Forward(1, frozenset({"job"}))
    let_pass(watchdog, clock, LIMIT_S * 0.9)
    networks.forward = None

    let_pass(watchdog, clock, LIMIT_S * 2)

    assert networks.hung == []


def test_a_process_that_was_stopped_for_long_has_not_hung(watchdog: Watchdog, networks: Networks, clock: Clock) -> None:
    networks.forward = Forward(1, frozenset({"job"}))
    watchdog.look()

    clock.now_s += LIMIT_S * 5
    watchdog.look()

    assert networks.hung == []


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
