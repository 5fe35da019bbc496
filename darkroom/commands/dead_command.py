"""`darkroom dead`: what an operator does about jobs whose every attempt failed."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from darkroom.job_store.dead_letters import DeadLetter, DeadLetters
    from darkroom.jobs import Job
    from darkroom.messages.wakeups import Wakeups

app = typer.Typer(help="List the jobs whose every attempt failed; try them again, or drop them.")

JobIds = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Jobs as `darkroom dead` lists them.")]
All = Annotated[bool, typer.Option("--all", help="Every job on the list.")]


@app.callback(invoke_without_command=True)
def dead(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        with _dead_letters() as letters:
            for letter in letters.all():
                print(line(letter))


@app.command()
def retry(ids: JobIds = None, every: All = False) -> None:
    """Put the same request in line again, as a new job of the same owner."""
    with _dead_letters() as letters, _wakeups() as wakeups:
        for job_id in _chosen(ids, every, letters):
            job = letters.retry(job_id)
            print(f"{job_id} -> {job.id}")
            _wake(job, wakeups)


@app.command()
def drop(ids: JobIds = None, every: All = False) -> None:
    """Take jobs off the list. They stay as failed until their owner deletes them, or the retention does."""
    with _dead_letters() as letters:
        for job_id in _chosen(ids, every, letters):
            letters.drop(job_id)
            print(job_id)


def _wake(job: "Job", wakeups: "Wakeups") -> None:
    from darkroom.errors import BrokerUnavailable

    try:
        wakeups.wake(job.request.model, job.id)
    except BrokerUnavailable as error:
        print(f"{job.id} is in line, and a worker is woken once the broker is back. {error.message}", file=sys.stderr)


def line(letter: "DeadLetter") -> str:
    """Never the prompt, which is the client's."""
    from darkroom.jobs import moment

    job = letter.job
    ended = moment(job.finished_ms or job.created_ms).isoformat(timespec="seconds")
    code = job.failure.code if job.failure else "unknown"
    history = ", ".join(f"{entry.attempt} {entry.reason} {entry.worker}".rstrip() for entry in letter.history)
    return f"{job.id}  {job.owner:<16} {job.request.model:<16} {ended}  {code:<17} {history}"


def _chosen(ids: list[str] | None, every: bool, letters: "DeadLetters") -> Iterable[str]:
    if bool(ids) == every:
        raise typer.BadParameter("name the jobs, or say --all")
    return ids or [letter.job.id for letter in letters.all()]


@contextmanager
def _dead_letters() -> "Iterator[DeadLetters]":
    from darkroom.job_store.dead_letters import DeadLetters
    from darkroom.job_store.redis_client import connect
    from darkroom.job_store.store import JobStore
    from darkroom.local.running import settings_here

    settings = settings_here()
    with connect(settings.redis_url) as client:
        yield DeadLetters(client, JobStore(client, settings))


@contextmanager
def _wakeups() -> "Iterator[Wakeups]":
    from darkroom.local.running import settings_here
    from darkroom.messages.opening import open_wakeups

    with closing(open_wakeups(settings_here())) as wakeups:
        yield wakeups
