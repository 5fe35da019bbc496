"""Jobs in a real Redis: every transition, its refusals, and what watchers are told."""

import pytest

from darkroom.errors import GenerationFailed, IdempotencyConflict, JobIsFinal, JobTaken, QueueFull, UnknownJob
from darkroom.estimates.line_state import Place
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import JobState, StoredImage
from darkroom.request import Priority
from darkroom.settings import Settings
from tests.conftest import MakeRequest

IMAGE = StoredImage(
    index=0, seed=7, key="jobs/x/0.png", content_type="image/png", width=128, height=128, bytes=9, sha256="ab"
)


def told(client: Client, job_id: str) -> list[str]:
    return [fields["type"] for _, fields in client.xrange(keys.EVENTS(job_id))]


def let_the_lease_run_out(client: Client, job_id: str) -> None:
    client.zadd(keys.LEASES(), {job_id: 1})


def test_a_new_job_waits_with_its_request_unchanged(store: JobStore, request_of: MakeRequest) -> None:
    request = request_of(prompt="日本語 “quotes” \\ and\nlines", negative_prompt="no")

    admission = store.enqueue("alice", request)

    job = store.get(admission.job.id)
    assert (job.state, job.owner, job.request, job.attempt) == (JobState.QUEUED, "alice", request, 0)
    assert not admission.is_repeat


def test_a_claimed_job_runs_under_its_worker_and_leaves_the_line(
    store: JobStore, claims: Claims, request_of: MakeRequest
) -> None:
    job_id = store.enqueue("alice", request_of()).job.id

    job = claims.claim_next("minilab", "worker-1")

    assert job is not None
    assert (job.id, job.state, job.attempt, job.worker) == (job_id, JobState.RUNNING, 1, "worker-1")
    assert job.started_ms is not None
    assert claims.claim_next("minilab", "worker-2") is None


def test_jobs_of_another_model_are_not_claimed(store: JobStore, claims: Claims, request_of: MakeRequest) -> None:
    store.enqueue("alice", request_of(model="sdxl"))

    assert claims.claim_next("minilab", "w") is None


def test_interactive_jobs_go_before_bulk_ones(store: JobStore, claims: Claims, request_of: MakeRequest) -> None:
    bulk = store.enqueue("alice", request_of(priority=Priority.BULK)).job.id
    interactive = store.enqueue("alice", request_of()).job.id

    places = [store.place(bulk), store.place(interactive)]
    claimed = [claims.claim_next("minilab", "w") for _ in range(2)]

    assert [place.position for place in places if place] == [1, 0]
    assert [job.id for job in claimed if job] == [interactive, bulk]


def test_one_owner_s_many_jobs_delay_another_s_first_by_one_at_most(
    store: JobStore, claims: Claims, request_of: MakeRequest
) -> None:
    for _ in range(20):
        store.enqueue("many", request_of())
    assert claims.claim_next("minilab", "w")
    first = store.enqueue("few", request_of()).job.id

    place = store.place(first)

    assert place
    assert place.position <= 1


def test_the_order_is_that_of_start_time_fair_queueing(
    store: JobStore, claims: Claims, request_of: MakeRequest
) -> None:
    """Start tags by hand: a has 0, 4, 8 (cost 4 each), b has 0, 1, 2 (cost 1 each); equal tags by arrival."""
    names: dict[str, str] = {}
    for owner, steps in (("a", 4), ("a", 4), ("a", 4), ("b", 1), ("b", 1), ("b", 1)):
        job = store.enqueue(owner, request_of(steps=steps)).job
        names[job.id] = owner

    claimed = [claims.claim_next("minilab", "w") for _ in names]

    assert "".join(names[job.id] for job in claimed if job) == "abbbaa"


def test_progress_is_kept_and_told(store: JobStore, claims: Claims, client: Client, request_of: MakeRequest) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "w")
    assert job

    claims.progress(job, 1, 2)
    claims.progress(job, 2, 2)

    assert (store.get(job.id).step, store.get(job.id).steps) == (2, 2)
    assert told(client, job.id) == ["started", "step", "step"]


def test_steps_of_several_jobs_are_recorded_at_once_and_lost_ones_named(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    for _ in range(2):
        store.enqueue("alice", request_of())
    ours, lost = claims.claim_next("minilab", "w"), claims.claim_next("minilab", "w")
    assert ours
    assert lost
    store.cancel(lost.id)

    assert claims.progress_of([(ours, 1, 3), (lost, 1, 3), (ours, 2, 3)]) == {lost.held_as}

    assert (store.get(ours.id).step, store.get(ours.id).steps) == (2, 3)
    assert told(client, ours.id) == ["started", "step", "step"]
    assert told(client, lost.id) == ["started", "canceled"]


def test_a_job_succeeds_once_however_often_it_is_said(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "w")
    assert job

    claims.succeed(job, [IMAGE])
    claims.succeed(job, [IMAGE])

    done = store.get(job.id)
    assert (done.state, done.images) == (JobState.SUCCEEDED, [IMAGE])
    assert told(client, job.id) == ["started", "succeeded"]


def test_a_failure_is_recorded_with_its_code(store: JobStore, claims: Claims, request_of: MakeRequest) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "w")
    assert job

    claims.fail(job, GenerationFailed("The model raised ValueError."))

    failed = store.get(job.id)
    assert failed.state is JobState.FAILED
    assert failed.failure
    assert failed.failure.code == "generation_failed"


@pytest.mark.parametrize("runs", [False, True])
def test_a_canceled_job_is_never_claimed_or_finished(
    runs: bool, store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    job_id = store.enqueue("alice", request_of()).job.id
    job = claims.claim_next("minilab", "w") if runs else None

    store.cancel(job_id)
    store.cancel(job_id)

    assert store.get(job_id).state is JobState.CANCELED
    assert claims.claim_next("minilab", "w") is None
    assert told(client, job_id)[-1:] == ["canceled"]
    if job:
        with pytest.raises(JobTaken):
            claims.progress(job, 1, 1)
        with pytest.raises(JobTaken):
            claims.succeed(job, [IMAGE])
        assert claims.renew([job]) == {job.held_as}


def test_a_finished_job_cannot_be_canceled(store: JobStore, claims: Claims, request_of: MakeRequest) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "w")
    assert job
    claims.succeed(job, [IMAGE])

    with pytest.raises(JobIsFinal, match="succeeded already"):
        store.cancel(job.id)


def test_a_job_given_back_is_next_and_its_old_attempt_is_refused(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    store.enqueue("bob", request_of())
    first = claims.claim_next("minilab", "w")
    assert first

    claims.give_back(first)
    again = claims.claim_next("minilab", "v")

    assert again
    assert (again.id, again.attempt) == (first.id, 2)
    with pytest.raises(JobTaken):
        claims.succeed(first, [IMAGE])
    claims.succeed(again, [IMAGE])
    assert told(client, first.id) == ["started", "queued", "started", "succeeded"]


def test_a_job_whose_worker_falls_silent_goes_back_until_it_lost_too_many(
    store: JobStore, claims: Claims, upkeep: Upkeep, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    ends = []
    for _ in range(3):
        job = claims.claim_next("minilab", "w")
        assert job
        assert upkeep.silent() == []
        claims.renew([job])
        let_the_lease_run_out(client, job.id)
        [(job_id, attempt)] = upkeep.silent()
        ends.append(upkeep.requeue_lost(job_id, attempt))

    assert ends == ["queued", "queued", "failed"]
    failure = store.get(job_id).failure
    assert failure
    assert failure.code == "worker_lost"
    assert "3 workers" in failure.message


def test_a_claim_that_no_worker_heard_of_is_no_failed_attempt(
    store: JobStore, claims: Claims, upkeep: Upkeep, client: Client, settings: Settings, request_of: MakeRequest
) -> None:
    """Stalls of Redis alone made jobs fail as `worker_lost`, though nobody had ever drawn them."""
    job_id = store.enqueue("alice", request_of()).job.id

    for _ in range(settings.max_attempts + 1):
        job = claims.claim_next("minilab", "w")
        assert job
        let_the_lease_run_out(client, job_id)
        assert upkeep.requeue_lost(job_id, job.attempt) == "queued"

    assert client.hget(keys.JOB(job_id), "failed_attempts") is None
    assert '"claim_lost"' in client.hget(keys.JOB(job_id), "history")


def test_a_lease_renewed_in_time_is_not_taken_away(
    store: JobStore, claims: Claims, upkeep: Upkeep, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "w")
    assert job
    let_the_lease_run_out(client, job.id)

    assert claims.renew([job]) == set()

    assert upkeep.requeue_lost(job.id, job.attempt) == "kept"


def test_a_line_and_an_owner_s_share_of_it_are_bounded(store: JobStore, request_of: MakeRequest) -> None:
    for _ in range(40):
        store.enqueue("many", request_of())

    with pytest.raises(QueueFull, match="40 of your jobs"):
        store.enqueue("many", request_of())
    for _ in range(10):
        store.enqueue("few", request_of())
    with pytest.raises(QueueFull, match="50 jobs wait") as full:
        store.enqueue("few", request_of())

    assert full.value.retry_after_s >= 1


def test_a_canceled_job_makes_room_in_its_line(store: JobStore, request_of: MakeRequest) -> None:
    ids = [store.enqueue("many", request_of()).job.id for _ in range(40)]

    store.cancel(ids[5])

    store.enqueue("many", request_of())


def test_the_same_idempotency_key_gives_the_same_job(store: JobStore, request_of: MakeRequest) -> None:
    first = store.enqueue("alice", request_of(), idempotency_key="k", fingerprint="body")

    again = store.enqueue("alice", request_of(), idempotency_key="k", fingerprint="body")
    other_owner = store.enqueue("bob", request_of(), idempotency_key="k", fingerprint="body")

    assert (again.job.id, again.is_repeat) == (first.job.id, True)
    assert other_owner.job.id != first.job.id
    with pytest.raises(IdempotencyConflict):
        store.enqueue("alice", request_of(), idempotency_key="k", fingerprint="another body")


@pytest.mark.parametrize("gone", [[5], [5, 4, 3], [0], [1, 3, 5], [5, 4, 3, 2, 1, 0]])
def test_a_page_is_full_though_jobs_were_deleted_between_its_two_reads(
    gone: list[int], store: JobStore, client: Client, request_of: MakeRequest
) -> None:
    ids = [store.enqueue("alice", request_of()).job.id for _ in range(6)]
    for index in gone:
        client.delete(keys.JOB(ids[index]))  # still on the list, as for a reader who was faster than the deletion
    left = [job_id for index, job_id in enumerate(ids) if index not in gone][::-1]

    pages = [[job.id for job in store.newest("alice", limit=limit)] for limit in (1, 2, 3, 10)]

    assert pages == [left[:limit] for limit in (1, 2, 3, 10)]


def test_jobs_are_listed_newest_first_page_by_page(store: JobStore, request_of: MakeRequest) -> None:
    ids = [store.enqueue("alice", request_of()).job.id for _ in range(5)]
    store.enqueue("bob", request_of())

    first = [job.id for job in store.newest("alice", limit=3)]
    rest = [job.id for job in store.newest("alice", limit=3, before=first[-1])]

    assert first + rest == sorted(ids, reverse=True)


def test_a_deleted_job_leaves_nothing_behind_but_a_note_to_clear_up(
    store: JobStore, claims: Claims, client: Client, request_of: MakeRequest
) -> None:
    job_id = store.enqueue("alice", request_of()).job.id
    assert store.delete(job_id) is False
    claims.claim_next("minilab", "w")
    assert store.delete(job_id) is False

    store.cancel(job_id)
    assert store.delete(job_id) is True

    with pytest.raises(UnknownJob):
        store.get(job_id)
    for_a_minute = {keys.GONE(job_id), *client.keys(keys.CLAIM("*"))}
    usage = set(client.keys(keys.USAGE("alice", "*")))  # a worker had it
    assert set(client.keys("*")) - for_a_minute - usage <= {keys.MODELS(), keys.LEFTOVERS(), keys.ROOM()}
    assert all(0 < client.ttl(key) <= 60 for key in for_a_minute)


def test_a_place_is_told_with_the_work_before_it(store: JobStore, claims: Claims, request_of: MakeRequest) -> None:
    store.enqueue("alice", request_of(steps=10))
    interactive = store.enqueue("alice", request_of(steps=10)).job.id
    store.enqueue("alice", request_of(steps=4, priority=Priority.BULK))
    bulk = store.enqueue("alice", request_of(steps=4, priority=Priority.BULK)).job.id

    assert store.place(interactive) == Place(1, 10, 1, 10)
    assert store.place(bulk) == Place(3, 24, 1, 4)


def test_follow_up_work_is_due_until_it_is_done(
    store: JobStore, claims: Claims, upkeep: Upkeep, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "w")
    assert job
    claims.succeed(job, [IMAGE])
    assert upkeep.due_followups() == []

    client.zadd(keys.FOLLOWUPS(), {job.id: 1})
    assert upkeep.due_followups() == [job.id]
    assert upkeep.due_followups() == []
    assert upkeep.followed_up(job.id, [IMAGE])

    assert client.zcard(keys.FOLLOWUPS()) == 0


def test_retention_counts_from_a_job_s_end(
    store: JobStore, claims: Claims, upkeep: Upkeep, client: Client, request_of: MakeRequest
) -> None:
    store.enqueue("alice", request_of())
    job = claims.claim_next("minilab", "w")
    assert job
    claims.succeed(job, [IMAGE])
    assert upkeep.take_old() == {}

    client.zadd(keys.FINAL(), {job.id: upkeep.now_ms() - 8 * 86_400_000})

    assert upkeep.take_old() == {job.id: 1}


def test_a_lane_kept_for_interactive_jobs_leaves_bulk_ones_waiting(
    store: JobStore, claims: Claims, request_of: MakeRequest
) -> None:
    only_interactive = (Priority.INTERACTIVE,)
    bulk = store.enqueue("alice", request_of(priority=Priority.BULK)).job.id
    assert claims.claim_next("minilab", "w", only_interactive) is None

    interactive = store.enqueue("alice", request_of()).job.id
    job = claims.claim_next("minilab", "w", only_interactive)

    assert job
    assert job.id == interactive
    assert store.get(bulk).state is JobState.QUEUED


def test_a_key_of_twice_the_weight_gets_twice_the_share(
    client: Client, settings: Settings, claims: Claims, request_of: MakeRequest
) -> None:
    """Start tags by hand: heavy has 0, 1/2, 1, 3/2 (weight 2), light 0, 1, 2, 3."""
    store = JobStore(client, settings.model_copy(update={"key_weights": {"heavy": 2.0}}))
    names = {store.enqueue(owner, request_of()).job.id: owner for owner in ("light", "heavy") for _ in range(4)}

    claimed = [claims.claim_next("minilab", "w") for _ in names]

    assert "".join(names[job.id][0] for job in claimed if job) == "lhhlhhll"
