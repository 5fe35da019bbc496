import threading

import pytest

from darkroom.errors import Misconfigured
from darkroom.presence import WorkerInfo, present
from darkroom.redis_client import Client
from darkroom.settings import Settings
from darkroom.wakeups import Wakeups
from gpu_worker.life import Life
from tests.eventually import eventually


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
    assert not {"presence", "leases"} & {thread.name for thread in threading.enumerate()}


def test_jobs_may_finish_until_the_grace_period_is_over(settings: Settings, wakeups: Wakeups, one_thread: None) -> None:
    life = Life(settings.model_copy(update={"device": "cpu", "grace_s": 0.05}))
    life.start(["minilab"], "worker-1", wakeups)

    life.drain()

    assert life.node.stopping.wait(timeout=5)
    life.stop()
