"""Redis has written the job, and no answer of it came back; or the answer came, and nothing after it."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from darkroom.errors import RedisUnavailable
from darkroom.estimates.line_state import Place
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import Admission, JobStore
from darkroom.jobs import JobState
from darkroom.request import ImageRequest
from darkroom.settings import Settings
from tests.api.problems import problem_of
from tests.api.serving import Serving
from tests.conftest import MakeRequest
from tests.eventually import eventually
from tests.lossy_link import LossyLink, lossy_link
from tests.queued import queued

RED = {"prompt": "a red circle"}


@pytest.fixture
def link(redis_url: str) -> Iterator[LossyLink]:
    with lossy_link(redis_url) as it:
        yield it


@pytest.fixture
def settings(link: LossyLink, settings: Settings, redis_url: str) -> Settings:
    """The API's connections to the job store can lose their answers; those to its broker cannot."""
    broker = f"redis+socket://{redis_url.removeprefix('unix://').partition('?')[0]}?virtual_host=1"
    return settings.model_copy(update={"redis_url": link.url, "broker_url": broker})


def ids_in_line(client: Client) -> list[str]:
    ids: list[str] = client.zrange(keys.LINE("minilab", "interactive"), 0, -1)
    return ids


def test_a_job_of_which_no_answer_came_is_refused_and_then_gone(
    http: httpx.Client, link: LossyLink, client: Client
) -> None:
    kept = http.post("/generate", json=RED).json()["id"]
    eventually(lambda: client.exists(keys.KEYS_USED()), what="the last that is done for it")
    link.lose_all_answers()

    refused = http.post("/generate", json=RED)
    was_written = len(ids_in_line(client))
    link.heal()

    assert problem_of(refused)["code"] == "redis_unavailable"
    assert was_written == 2
    eventually(lambda: ids_in_line(client) == [kept], what="the refused job to be taken back")
    assert [job["id"] for job in http.get("/jobs").json()["jobs"]] == [kept]


class Deaf(JobStore):
    """Its jobs are written, and it never hears of it."""

    def enqueue(self, owner: str, request: ImageRequest, **given: object) -> Admission:
        super().enqueue(owner, request, **given)  # type: ignore[arg-type]
        raise RedisUnavailable("The answer was lost.")


def test_a_job_of_which_no_answer_came_wakes_nobody(
    api: Serving, http: httpx.Client, client: Client, settings: Settings, redis_url: str
) -> None:
    api.app.state.services = replace(api.services, store=Deaf(client, settings))

    refused = http.post("/generate", json=RED)

    assert refused.status_code == 503
    eventually(lambda: not ids_in_line(client), what="the refused job to be taken back")
    assert queued(redis_url, "gpu.minilab") == []


def test_one_that_a_worker_has_by_then_is_canceled_and_one_that_another_client_knows_stays(
    store: JobStore, claims: Claims, request_of: MakeRequest
) -> None:
    running = store.enqueue("alice", request_of()).job.id
    assert claims.claim_next("minilab", "w")
    known = store.enqueue("alice", request_of(), idempotency_key="k").job.id
    store.enqueue("alice", request_of(), idempotency_key="k")

    for job_id in (running, known):
        store.withdraw(job_id, was_refused=True)

    assert store.get(running).state is JobState.CANCELED
    assert store.get(known).state is JobState.QUEUED


class GoneAfterwards(JobStore):
    """Redis goes just as it has answered that the job is written."""

    def place(self, job_id: str) -> Place | None:
        raise RedisUnavailable(f"Nothing is told of {job_id}.")


def test_a_job_that_was_accepted_is_told_as_accepted_though_redis_has_gone_since(
    api: Serving, http: httpx.Client, client: Client, settings: Settings
) -> None:
    api.app.state.services = replace(api.services, store=GoneAfterwards(client, settings))

    answer = http.post("/generate", json=RED)

    job = answer.json()
    assert (answer.status_code, job["status"]) == (202, "queued")
    assert (job["queue_position"], job["eta_s"], job["notice"]) == (None, None, None)
    assert answer.headers["Location"].endswith(job["id"])
    assert ids_in_line(client) == [job["id"]]
