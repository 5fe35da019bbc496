"""Who is alive, and who is forgotten."""

import json
import threading
from dataclasses import asdict

import pytest

from darkroom.job_store import keys
from darkroom.job_store.presence import FORGET_AFTER_S, Reporter, present, report, sign_off
from darkroom.job_store.redis_client import Client
from darkroom.workers import WorkerInfo
from tests.eventually import eventually


@pytest.fixture
def worker() -> WorkerInfo:
    return WorkerInfo("worker-1", "gpu", ["minilab"], lanes=4)


def heard_s_ago(client: Client, worker: WorkerInfo, seconds: int) -> None:
    seen = {"seen_s": client.time()[0] - seconds, "worker": asdict(worker)}
    client.hset(keys.WORKERS(), worker.name, json.dumps(seen))


def test_a_worker_is_present_until_it_signs_off(client: Client, worker: WorkerInfo) -> None:
    report(client, worker)
    assert present(client) == [worker]

    sign_off(client, worker)

    assert present(client) == []


def test_one_that_falls_silent_is_forgotten_and_the_others_are_not(client: Client, worker: WorkerInfo) -> None:
    heard_s_ago(client, worker, FORGET_AFTER_S - 4)
    assert present(client) == [worker]

    heard_s_ago(client, worker, FORGET_AFTER_S + 1)

    assert present(client) == []
    assert client.hlen(keys.WORKERS()) == 0


def test_a_reporter_reports_and_signs_off_and_leaves_no_thread(client: Client, worker: WorkerInfo) -> None:
    before = set(threading.enumerate())
    reporter = Reporter(client, worker)
    reporter.start()
    eventually(lambda: present(client) == [worker])

    reporter.stop()

    assert present(client) == []
    assert set(threading.enumerate()) <= before
