import threading
from collections.abc import Iterable
from dataclasses import replace

import pytest
import structlog

from darkroom.errors import (
    DarkroomError,
    DeadlineExceeded,
    GenerationFailed,
    JobTaken,
    ObjectMissing,
    OutOfMemory,
    RedisUnavailable,
    WorkerStopping,
)
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.job_store.redis_client import Client, connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Attempt, Job, JobState, StoredImage
from darkroom.settings import Settings
from gpu_worker.generate import generate
from gpu_worker.jobs.job_end import Outcome, TaskEnd
from gpu_worker.node import Node
from storage.keys import image_key
from tests.conftest import MakeRequest
from tests.gpu_worker.conftest import Clock
from tests.gpu_worker.fakes import FakeLane, PromptProgress
from tests.gpu_worker.running import run_all
from tests.queued import queued
from tests.servers import free_port
from tests.watched_storage import WatchedStorage

PROMPT = "a lighthouse by the sea"


class StumblingClaims(Claims):
    """A Redis that is away for the first of these calls, by name."""

    def __init__(self, client: Client, settings: Settings, *stumbles: str) -> None:
        super().__init__(client, settings)
        self._stumbles = list(stumbles)

    def progress_of(self, done: Iterable[tuple[Job, int, int]]) -> set[Attempt]:
        self._stumble("progress")
        return super().progress_of(done)

    def succeed(self, job: Job, images: list[StoredImage]) -> None:
        self._stumble("succeed")
        super().succeed(job, images)

    def fail(self, job: Job, error: DarkroomError) -> None:
        self._stumble("fail")
        super().fail(job, error)

    def try_again(self, job: Job, error: DarkroomError) -> str:
        self._stumble("try_again")
        return super().try_again(job, error)

    def give_back(self, job: Job) -> None:
        self._stumble("give_back")
        super().give_back(job)

    def _stumble(self, call: str) -> None:
        if call in self._stumbles:
            self._stumbles.remove(call)
            raise RedisUnavailable("away for a moment")


@pytest.fixture
def job_id(store: JobStore, request_of: MakeRequest) -> str:
    return store.enqueue("alice", request_of(steps=5, n=2, prompt=PROMPT)).job.id


def events(client: Client, job_id: str) -> list[str]:
    return [fields["type"] for _, fields in client.xrange(keys.EVENTS(job_id))]


def test_a_wakeup_makes_the_next_job_s_images(
    node: Node, store: JobStore, storage: WatchedStorage, lane: FakeLane, job_id: str
) -> None:
    run_all("minilab", node)

    job = store.get(job_id)
    assert (job.state, job.worker, job.step, job.steps) == (JobState.SUCCEEDED, "worker-1", 5, 5)
    assert lane.drawn == [job.request]
    assert len([storage.get(image.key) for image in job.images]) == 2


def test_watchers_see_every_step(node: Node, client: Client, job_id: str) -> None:
    run_all("minilab", node)

    assert events(client, job_id) == ["started", *["step"] * 5, "succeeded"]


def test_a_wakeup_for_nothing_is_harmless(node: Node, lane: FakeLane) -> None:
    run_all("minilab", node)

    assert lane.drawn == []


def test_a_wakeup_that_comes_twice_makes_the_job_once(node: Node, store: JobStore, lane: FakeLane, job_id: str) -> None:
    run_all("minilab", node)
    first = store.get(job_id)
    run_all("minilab", node)

    assert len(lane.drawn) == 1
    assert store.get(job_id) == first


def test_a_wakeup_for_a_model_that_is_not_held_takes_no_job(
    node: Node, store: JobStore, request_of: MakeRequest
) -> None:
    job_id = store.enqueue("alice", request_of(model="sdxl")).job.id

    run_all("sdxl", node)

    assert store.get(job_id).state is JobState.QUEUED


def test_a_job_s_own_error_is_written_into_its_record(node: Node, store: JobStore, lane: FakeLane, job_id: str) -> None:
    def too_large(_step: int) -> None:
        raise OutOfMemory("It does not fit. Ask for less.")

    lane.before_step = too_large

    run_all("minilab", node)

    failure = store.get(job_id).failure
    assert failure
    assert (failure.code, failure.message) == ("out_of_memory", "It does not fit. Ask for less.")


def test_a_worker_goes_on_after_a_job_that_failed(
    node: Node, store: JobStore, lane: FakeLane, job_id: str, request_of: MakeRequest
) -> None:
    lane.before_step = breaks
    run_all("minilab", node)
    lane.before_step = lambda _step: None
    next_id = store.enqueue("alice", request_of()).job.id

    run_all("minilab", node)

    assert (store.get(job_id).state, store.get(next_id).state) == (JobState.FAILED, JobState.SUCCEEDED)


def test_an_unforeseen_error_that_stays_fails_the_job_and_shows_no_prompt(
    node: Node, store: JobStore, lane: FakeLane, job_id: str
) -> None:
    lane.before_step = breaks

    with structlog.testing.capture_logs() as lines:
        run_all("minilab", node)

    job = store.get(job_id)
    assert (job.state, job.attempt) == (JobState.FAILED, 3)
    assert job.failure
    assert job.failure.code == "generation_failed"
    assert "KeyError" in job.failure.message
    assert PROMPT not in f"{job.failure}{lines}"
    assert "in breaks" in str(lines)


def test_an_error_of_the_moment_costs_an_attempt_and_not_the_job(
    node: Node, store: JobStore, lane: FakeLane, client: Client, redis_url: str, job_id: str
) -> None:
    def breaks_once(_step: int) -> None:
        if len(lane.drawn) == 1:
            raise GenerationFailed("The model stopped with RuntimeError.")

    lane.before_step = breaks_once

    run_all("minilab", node)

    job = store.get(job_id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert events(client, job_id) == ["started", "queued", "started", *["step"] * 5, "succeeded"]
    assert queued(redis_url, "gpu.minilab") == [{"model": "minilab", "cause": job_id}]


def test_an_error_that_will_come_again_ends_the_job_at_its_first_attempt(
    node: Node, store: JobStore, lane: FakeLane, client: Client, job_id: str
) -> None:
    def breaks_for_good(_step: int) -> None:
        error = GenerationFailed("The model stopped with IndexError.")
        error.comes_again = True
        raise error

    lane.before_step = breaks_for_good

    run_all("minilab", node)

    job = store.get(job_id)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert job.failure
    assert job.failure.code == "generation_failed"
    assert events(client, job_id) == ["started", "failed"]
    [letter] = DeadLetters(client, store).all()
    assert (letter.job.id, [entry.reason for entry in letter.history]) == (job_id, ["comes_again"])


def breaks(_step: int) -> None:
    raise KeyError(PROMPT)


def test_a_cancel_takes_effect_at_the_next_step(
    node: Node, store: JobStore, storage: WatchedStorage, lane: FakeLane, job_id: str
) -> None:
    def cancel(step: int) -> None:
        if step == 2:
            store.cancel(job_id)

    lane.before_step = cancel

    run_all("minilab", node)

    assert lane.steps_taken == 2
    assert store.get(job_id).state is JobState.CANCELED


def test_a_job_past_its_deadline_fails(
    node: Node, store: JobStore, lane: FakeLane, clock: Clock, settings: Settings, job_id: str
) -> None:
    def dawdle(_step: int) -> None:
        clock.now_s += settings.job_deadline_s / 2

    lane.before_step = dawdle

    run_all("minilab", node)

    failure = store.get(job_id).failure
    assert failure
    assert failure.code == DeadlineExceeded.code
    assert lane.steps_taken == 3


def test_a_redis_that_is_away_for_a_step_costs_only_that_step_s_word(
    node: Node, store: JobStore, client: Client, settings: Settings, job_id: str
) -> None:
    progress = PromptProgress(StumblingClaims(client, settings, "progress"))
    progress.start()

    run_all("minilab", replace(node, progress=progress))

    progress.stop()
    assert store.get(job_id).state is JobState.SUCCEEDED
    assert events(client, job_id).count("step") == 4


@pytest.mark.parametrize("call", ["fail", "try_again"])
def test_a_redis_that_is_away_for_the_last_word_is_waited_for(
    call: str, node: Node, store: JobStore, lane: FakeLane, client: Client, settings: Settings, job_id: str
) -> None:
    def too_large(_step: int) -> None:
        raise OutOfMemory("It does not fit. Ask for less.")

    lane.before_step = too_large if call == "fail" else breaks

    run_all("minilab", replace(node, claims=StumblingClaims(client, settings, call)))

    assert store.get(job_id).state is JobState.FAILED


def test_without_redis_no_job_is_claimed_and_the_wake_up_is_kept(
    node: Node, settings: Settings, lane: FakeLane, job_id: str
) -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as nobody:
        end = generate("minilab", replace(node, claims=Claims(nobody, settings)), patience_s=0)

    assert end.outcome is Outcome.NOT_NOW
    assert lane.drawn == []


def test_a_job_is_given_back_when_the_grace_period_is_over(
    node: Node, store: JobStore, lane: FakeLane, stopping: threading.Event, redis_url: str, job_id: str
) -> None:
    def stop(step: int) -> None:
        if step == 3:
            stopping.set()

    lane.before_step = stop

    run_all("minilab", node)

    job = store.get(job_id)
    assert lane.steps_taken == 3
    assert (job.state, job.worker) == (JobState.QUEUED, None)
    assert queued(redis_url, "gpu.minilab") == [{"model": "minilab", "cause": job_id}]


def test_a_job_given_back_is_made_by_the_next_worker(
    node: Node, lane: FakeLane, store: JobStore, stopping: threading.Event, job_id: str
) -> None:
    lane.before_step = lambda _step: stopping.set()
    run_all("minilab", node)
    lane.before_step = lambda _step: None
    stopping.clear()

    run_all("minilab", replace(node, name="worker-2"))

    job = store.get(job_id)
    assert (job.state, job.worker, job.attempt) == (JobState.SUCCEEDED, "worker-2", 2)


def test_giving_back_survives_a_redis_that_is_away_for_a_moment(
    node: Node, store: JobStore, client: Client, settings: Settings, stopping: threading.Event, job_id: str
) -> None:
    stopping.set()

    run_all("minilab", replace(node, claims=StumblingClaims(client, settings, "give_back")))

    assert store.get(job_id).state is JobState.QUEUED


def test_an_attempt_that_lost_its_job_writes_nothing_more(
    node: Node, claims: Claims, store: JobStore, storage: WatchedStorage, lane: FakeLane, job_id: str
) -> None:
    def another_takes_over(step: int) -> None:
        if step == 2:
            claims.give_back(store.get(job_id))
            assert claims.claim_next("minilab", "worker-2")

    lane.before_step = another_takes_over

    run_all("minilab", node)

    job = store.get(job_id)
    assert (job.state, job.worker, job.attempt, job.images) == (JobState.RUNNING, "worker-2", 2, [])
    with pytest.raises(ObjectMissing):
        storage.get(image_key(job_id, 0, "png"))


def test_a_wake_up_leads_to_one_job(
    node: Node, store: JobStore, lane: FakeLane, request_of: MakeRequest, job_id: str
) -> None:
    waiting = store.enqueue("bob", request_of(steps=1)).job.id

    assert generate("minilab", node).outcome is Outcome.DRAWN

    assert lane.drawn == [store.get(job_id).request]
    assert store.get(waiting).state is JobState.QUEUED


def test_a_wake_up_for_nobody_ends_at_once(node: Node, lane: FakeLane) -> None:
    assert generate("minilab", node).outcome is Outcome.NO_JOB
    assert lane.drawn == []


def test_so_many_wake_ups_as_are_too_many_take_no_job(node: Node, lane: FakeLane, upkeep: Upkeep, job_id: str) -> None:
    upkeep.note_surplus("minilab", 2)

    outcomes = [generate("minilab", node).outcome for _ in range(3)]

    assert outcomes == [Outcome.NO_JOB, Outcome.NO_JOB, Outcome.DRAWN]
    assert len(lane.drawn) == 1


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (OutOfMemory("It does not fit."), TaskEnd(Outcome.FAILED, "out_of_memory")),
        (GenerationFailed("The model stopped."), TaskEnd(Outcome.PUT_BACK, "generation_failed")),
        (JobTaken("canceled"), TaskEnd(Outcome.TAKEN, "job_taken")),
        (WorkerStopping("The grace period is over."), TaskEnd(Outcome.PUT_BACK, "worker_stopping")),
    ],
)
def test_a_wake_up_ends_as_its_job_does(
    error: Exception, end: TaskEnd, node: Node, lane: FakeLane, job_id: str
) -> None:
    def stumble(_step: int) -> None:
        raise error

    lane.before_step = stumble

    assert generate("minilab", node) == end


def test_a_worker_that_drains_takes_no_further_job(
    node: Node, lane: FakeLane, store: JobStore, request_of: MakeRequest, job_id: str
) -> None:
    waiting = store.enqueue("bob", request_of(steps=1)).job.id
    lane.before_step = lambda _step: node.draining.set()

    run_all("minilab", node)

    assert store.get(job_id).state is JobState.SUCCEEDED
    assert store.get(waiting).state is JobState.QUEUED
