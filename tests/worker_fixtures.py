"""What workers of both kinds have: storage, the queue, and jobs in their hands."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from darkroom.job_store.claims import Claims
from darkroom.job_store.store import JobStore
from darkroom.jobs import Job
from darkroom.messages.opening import open_wakeups
from darkroom.messages.wakeups import Wakeups
from darkroom.request import ImageRequest
from darkroom.settings import Settings
from tests.watched_storage import WatchedStorage

StartJob = Callable[..., Job]


@pytest.fixture
def storage(tmp_path: Path) -> WatchedStorage:
    return WatchedStorage(tmp_path / "images")


@pytest.fixture
def wakeups(settings: Settings) -> Iterator[Wakeups]:
    wakeups = open_wakeups(settings)
    yield wakeups
    wakeups.close()


@pytest.fixture
def start_job(store: JobStore, claims: Claims, request_of: Callable[..., ImageRequest]) -> StartJob:
    """A job in this worker's hands."""

    def start(**changes: object) -> Job:
        store.enqueue("alice", request_of(**changes))
        job = claims.claim_next("minilab", "worker-1")
        assert job
        claims.renew([job])
        return job

    return start
