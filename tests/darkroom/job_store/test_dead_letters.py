"""Jobs whose every attempt failed: on the list with their history, and off it by retry, drop and deletion."""

import pytest
from typer.testing import CliRunner

from darkroom.commands import dead_command
from darkroom.errors import GenerationFailed, OutOfMemory, QueueFull, UnknownJob
from darkroom.job_store import keys
from darkroom.job_store.claims import Claims
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job, JobState
from darkroom.settings import Settings
from tests.conftest import MakeRequest
from tests.queued import queued
from tests.servers import free_port

ERROR = GenerationFailed("The model stopped with ValueError.")
PROMPT = "a lighthouse by the sea"


@pytest.fixture
def letters(client: Client, store: JobStore) -> DeadLetters:
    return DeadLetters(client, store)


@pytest.fixture
def job_id(store: JobStore, request_of: MakeRequest) -> str:
    return store.enqueue("alice", request_of(prompt=PROMPT)).job.id


def claim(claims: Claims, worker: str = "w") -> Job:
    job = claims.claim_next("minilab", worker)
    assert job
    return job


def kill(claims: Claims) -> None:
    for _ in range(3):
        claims.try_again(claim(claims), ERROR)


def lose(job: Job, client: Client, upkeep: Upkeep) -> str:
    Claims(client, Settings()).renew([job])
    client.zadd(keys.LEASES(), {job.id: 1})
    return upkeep.requeue_lost(job.id, job.attempt)


def test_a_job_that_no_worker_survived_is_listed_with_its_history(
    letters: DeadLetters, claims: Claims, upkeep: Upkeep, client: Client, job_id: str
) -> None:
    ends = [lose(claim(claims, worker), client, upkeep) for worker in ("a", "b", "c")]

    [letter] = letters.all()
    assert ends == ["queued", "queued", "failed"]
    assert (letter.job.id, letter.job.state) == (job_id, JobState.FAILED)
    assert letter.job.failure
    assert letter.job.failure.code == "worker_lost"
    history = [(entry.attempt, entry.worker, entry.reason) for entry in letter.history]
    assert history == [(1, "a", "worker_lost"), (2, "b", "worker_lost"), (3, "c", "worker_lost")]
    assert [entry.at_ms for entry in letter.history] == sorted(entry.at_ms for entry in letter.history)


def test_an_error_that_nothing_explains_is_tried_three_times_in_all(
    letters: DeadLetters, claims: Claims, store: JobStore, job_id: str
) -> None:
    ends = [claims.try_again(claim(claims), ERROR) for _ in range(3)]

    assert ends == ["queued", "queued", "failed"]
    failure = store.get(job_id).failure
    assert failure
    assert (failure.code, failure.message) == (ERROR.code, ERROR.message)
    assert [letter.job.id for letter in letters.all()] == [job_id]


def test_lost_workers_and_errors_count_together_and_a_worker_that_stopped_does_not(
    letters: DeadLetters, claims: Claims, upkeep: Upkeep, client: Client, job_id: str
) -> None:
    claims.give_back(claim(claims))
    lose(claim(claims), client, upkeep)
    claims.put_back_hung(claim(claims))

    end = claims.try_again(claim(claims), ERROR)

    assert end == "failed"
    [letter] = letters.all()
    assert [entry.reason for entry in letter.history] == ["given_back", "worker_lost", "worker_hung", "unexplained"]


def test_a_stale_attempt_changes_nothing(claims: Claims, client: Client, job_id: str) -> None:
    stale = claim(claims)
    claims.give_back(stale)
    claim(claims)

    ends = [claims.try_again(stale, ERROR), claims.put_back_hung(stale)]

    assert ends == ["kept", "kept"]
    assert client.hget(keys.JOB(job_id), "failed_attempts") is None


def test_a_failure_that_explains_itself_is_not_listed(letters: DeadLetters, claims: Claims, job_id: str) -> None:
    claims.fail(claim(claims), OutOfMemory("It does not fit."))

    assert letters.all() == []


def test_a_job_s_history_stays_short_however_often_workers_are_restarted(
    letters: DeadLetters, claims: Claims, job_id: str
) -> None:
    for _ in range(30):
        claims.give_back(claim(claims))
    kill(claims)

    [letter] = letters.all()
    assert [entry.attempt for entry in letter.history] == list(range(14, 34))


def test_a_retried_job_is_a_new_one_of_the_same_owner_and_request(
    letters: DeadLetters, claims: Claims, store: JobStore, job_id: str
) -> None:
    kill(claims)

    again = letters.retry(job_id)

    dead = store.get(job_id)
    assert (again.owner, again.request, again.state) == ("alice", dead.request, JobState.QUEUED)
    assert again.id != job_id
    assert dead.state is JobState.FAILED
    assert letters.all() == []
    assert claim(claims).id == again.id


def test_a_retry_that_was_broken_off_makes_no_second_job_when_it_is_repeated(
    letters: DeadLetters, claims: Claims, client: Client, job_id: str
) -> None:
    kill(claims)
    first = letters.retry(job_id)
    client.zadd(keys.DEAD(), {job_id: 1})

    assert letters.retry(job_id).id == first.id


def test_a_job_stays_on_the_list_while_its_line_is_full(
    letters: DeadLetters, claims: Claims, client: Client, settings: Settings, store: JobStore, job_id: str
) -> None:
    kill(claims)
    full = JobStore(client, settings.model_copy(update={"max_waiting_per_model": 0}))

    with pytest.raises(QueueFull):
        DeadLetters(client, full).retry(job_id)

    assert [letter.job.id for letter in letters.all()] == [job_id]


def test_a_dropped_job_is_off_the_list_and_stays_failed(
    letters: DeadLetters, claims: Claims, store: JobStore, job_id: str
) -> None:
    kill(claims)

    letters.drop(job_id)

    assert letters.all() == []
    assert store.get(job_id).state is JobState.FAILED


def test_a_deleted_job_leaves_the_list(client: Client, claims: Claims, store: JobStore, job_id: str) -> None:
    kill(claims)

    assert store.delete(job_id)

    assert client.zcard(keys.DEAD()) == 0


def test_only_listed_jobs_are_retried_or_dropped(letters: DeadLetters, job_id: str) -> None:
    for act in (letters.retry, letters.drop):
        with pytest.raises(UnknownJob, match="not on the dead-letter list"):
            act(job_id)


def test_the_command_lists_retries_and_drops(
    letters: DeadLetters, claims: Claims, settings: Settings, store: JobStore, request_of: MakeRequest, job_id: str
) -> None:
    environment = {"DARKROOM_REDIS_URL": settings.redis_url}

    def command(*arguments: str) -> str:
        done = CliRunner().invoke(dead_command.app, arguments, env=environment, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    kill(claims)
    listed = command()
    retried = command("retry", job_id)
    kill(claims)
    dropped = command("drop", "--all")

    assert [word in listed for word in (job_id, "alice", "minilab", "generation_failed", "3 unexplained w")] == [
        True
    ] * 5
    assert PROMPT not in listed
    again = store.newest("alice", limit=1)[0].id
    assert retried == f"{job_id} -> {again}\n"
    assert dropped == f"{again}\n"
    assert command() == ""


def test_a_retried_job_wakes_a_worker(
    letters: DeadLetters, claims: Claims, settings: Settings, redis_url: str, job_id: str
) -> None:
    kill(claims)

    CliRunner().invoke(dead_command.app, ["retry", job_id], env={"DARKROOM_REDIS_URL": settings.redis_url})

    [wakeup] = queued(redis_url, "gpu.minilab")
    assert wakeup["model"] == "minilab"


def test_without_a_broker_a_job_is_retried_all_the_same(
    letters: DeadLetters, claims: Claims, settings: Settings, store: JobStore, job_id: str
) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    kill(claims)

    done = CliRunner().invoke(
        dead_command.app,
        ["retry", job_id],
        env={"DARKROOM_REDIS_URL": settings.redis_url, "DARKROOM_BROKER_URL": away},
        catch_exceptions=False,
    )

    again = store.newest("alice", limit=1)[0]
    assert (done.exit_code, done.stdout) == (0, f"{job_id} -> {again.id}\n")
    assert f"{again.id} is in line" in done.stderr
    assert again.state is JobState.QUEUED


@pytest.mark.parametrize("arguments", [["retry"], ["drop"], ["drop", "--all", "x"]])
def test_the_command_wants_jobs_or_all_of_them(arguments: list[str], settings: Settings) -> None:
    done = CliRunner().invoke(dead_command.app, arguments, env={"DARKROOM_REDIS_URL": settings.redis_url})

    assert done.exit_code == 2
    assert "--all" in done.output
