import inspect
import queue
import threading
from pathlib import Path

import pytest
import structlog

from darkroom.errors import Misconfigured
from darkroom.job_store.presence import present
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.jobs import JobState
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from darkroom.workers import WorkerInfo
from gpu_worker.generate import generate
from gpu_worker.life import Life
from tests.conftest import MakeRequest
from tests.eventually import eventually


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first worker measures, the others need not."""
    return tmp_path_factory.mktemp("knees")


@pytest.fixture
def settings(settings: Settings, measured: Path) -> Settings:
    settings.data_dir.mkdir()
    (settings.data_dir / "knees").symlink_to(measured)
    return settings


def test_a_model_that_the_catalogue_lacks_is_refused_by_name(settings: Settings, wakeups: Wakeups) -> None:
    with pytest.raises(Misconfigured, match="no model 'minilap'"):
        Life(settings).start(["minilap"], "worker-1", wakeups)


def test_a_worker_that_never_started_stops_quietly(settings: Settings) -> None:
    life = Life(settings)

    life.drain()
    life.stop()


def test_a_worker_is_seen_from_its_start_to_its_end(
    settings: Settings, wakeups: Wakeups, client: Client, one_thread: None
) -> None:
    life = Life(settings.model_copy(update={"device": "cpu", "lanes": 2}))

    life.start(["minilab"], "worker-1", wakeups)

    workers = eventually(lambda: present(client))
    assert workers == [WorkerInfo("worker-1", "gpu", ["minilab"], lanes=2, device="cpu")]
    life.stop()
    assert present(client) == []
    ours = {"presence", "leases", "watchdog", "drain", "upload-0"}
    assert not ours & {thread.name for thread in threading.enumerate()}


def test_jobs_may_finish_until_the_grace_period_is_over(settings: Settings, wakeups: Wakeups, one_thread: None) -> None:
    life = Life(settings.model_copy(update={"device": "cpu", "lanes": 1, "grace_s": 0.05}))
    life.start(["minilab"], "worker-1", wakeups)

    life.drain()

    assert life.node.stopping.wait(timeout=5)
    life.stop()


def test_a_worker_whose_networks_hang_puts_its_jobs_back_and_ends_at_once(
    settings: Settings, wakeups: Wakeups, store: JobStore, request_of: MakeRequest, one_thread: None
) -> None:
    from gpu_worker.engine.call import Entry, Run

    exit_codes: queue.Queue[int] = queue.Queue()
    may_end = threading.Event()
    life = Life(settings.model_copy(update={"device": "cpu", "lanes": 1, "watchdog_s": 1.0}), exit_codes.put)
    life.start(["minilab"], "worker-1", wakeups)
    store.enqueue("alice", request_of())
    job = life.node.claims.claim_next("minilab", "worker-1")
    assert job
    entry = Entry("Hanging", "forward", lambda: may_end.wait(30), inspect.signature(lambda: None))
    run = Run(0, 1.0, 0.0, job_id=job.id)
    lane = threading.Thread(target=life.engine.run, args=(run, entry, (), {}))

    with life.node.leases.hold(job), structlog.testing.capture_logs() as lines:
        lane.start()

        assert exit_codes.get(timeout=30) == 70
        assert "may_end.wait(30)" in str(lines), "the log shows where it hangs"
        assert not life.node.takes_jobs
        assert store.get(job.id).state is JobState.QUEUED
    may_end.set()
    lane.join(timeout=30)
    life.stop()


def test_a_worker_told_to_leave_at_once_gives_back_even_what_hangs_and_ends_well(
    settings: Settings, wakeups: Wakeups, store: JobStore, request_of: MakeRequest, one_thread: None
) -> None:
    from gpu_worker.engine.call import Entry, Run

    exit_codes: queue.Queue[int] = queue.Queue()
    may_end = threading.Event()
    life = Life(settings.model_copy(update={"device": "cpu", "lanes": 1}), exit_codes.put)
    life.start(["minilab"], "worker-1", wakeups)
    store.enqueue("alice", request_of())
    job = life.node.claims.claim_next("minilab", "worker-1")
    assert job
    entry = Entry("Hanging", "forward", lambda: may_end.wait(30), inspect.signature(lambda: None))
    lane = threading.Thread(target=life.engine.run, args=(Run(0, 1.0, 0.0, job_id=job.id), entry, (), {}))

    with life.node.leases.hold(job):
        lane.start()
        for _ in range(3):
            life.drain()

        assert exit_codes.get(timeout=30) == 0
        assert store.get(job.id).state is JobState.QUEUED
    may_end.set()
    lane.join(timeout=30)
    life.stop()


def test_a_worker_that_stops_delivers_what_is_drawn_first(
    settings: Settings,
    wakeups: Wakeups,
    store: JobStore,
    client: Client,
    request_of: MakeRequest,
    one_thread: None,
) -> None:
    life = Life(settings.model_copy(update={"device": "cpu", "lanes": 1}))
    life.start(["minilab"], "worker-1", wakeups)
    job_id = store.enqueue("alice", request_of(width=64, height=64)).job.id
    settings.images_dir.write_text("a file stands where the folder should be")
    generate("minilab", life.node)

    stopping = threading.Thread(target=life.stop)
    stopping.start()
    eventually(lambda: not present(client), what="a worker that has signed off")
    assert store.get(job_id).state is JobState.RUNNING
    settings.images_dir.unlink()
    stopping.join(timeout=30)

    assert store.get(job_id).state is JobState.SUCCEEDED
    assert life.node.outbox.backpressure.encoded_bytes == 0
