"""Previews as watchers get them, over a real connection."""

import httpx

from darkroom.jobs import Job
from tests.api.conftest import Ask
from tests.api.watching import Told, next_of, watching
from tests.api.worker import Worker

PICTURES = ["data:image/webp;base64,UklGRgAA", "data:image/webp;base64,UklGRgBB"]


def preview(worker: Worker, job: Job, step: int) -> None:
    worker.claims.preview(job, step, job.request.steps, PICTURES)


def test_a_watcher_sees_a_preview_when_it_is_made_and_between_events(
    ask: Ask, http: httpx.Client, worker: Worker
) -> None:
    job_id = ask(preview_every=5, n=2)["id"]

    with watching(http, job_id) as events:
        job = worker.claim()
        next_of("started", events)
        worker.step(job, 5)
        next_of("step", events)
        preview(worker, job, 5)
        told = next(events)
        worker.finish(job)
        rest = [event.type for event in events]

    assert (told.type, told.id) == ("preview", None)
    assert told.data | {"at_ms": 0} == {"step": 5, "steps": 20, "images": PICTURES, "at_ms": 0}
    assert abs(worker.now_ms() - told.data["at_ms"]) < 60_000
    assert rest == ["succeeded"]


def test_each_preview_is_told_once(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask(preview_every=1)["id"]
    job = worker.claim()
    told: list[Told] = []

    with watching(http, job_id) as events:
        for step in (1, 2, 3):
            preview(worker, job, step)
            told.append(next_of("preview", events))
            worker.step(job, step)
            told.append(next(events))
        worker.finish(job)
        told += events

    assert [event.type for event in told] == [*["preview", "step"] * 3, "succeeded"]
    assert [event.data["step"] for event in told[:-1]] == [1, 1, 2, 2, 3, 3]


def test_who_comes_late_gets_the_newest_after_all_events_so_far(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask(preview_every=1)["id"]
    job = worker.claim()
    for step in (1, 2):
        worker.step(job, step)
        preview(worker, job, step)

    with watching(http, job_id) as events:
        told = [next(events) for _ in range(4)]

    assert [event.type for event in told] == ["started", "step", "step", "preview"]
    assert told[-1].data["step"] == 2


def test_who_comes_back_gets_the_newest_and_misses_no_event(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask(preview_every=1)["id"]
    job = worker.claim()
    worker.step(job, 1)
    preview(worker, job, 1)
    with watching(http, job_id) as events:
        seen = next_of("step", events)

    worker.step(job, 2)
    preview(worker, job, 2)
    with watching(http, job_id, seen.id) as events:
        told = [next(events) for _ in range(2)]

    assert [(event.type, event.data["step"]) for event in told] == [("step", 2), ("preview", 2)]


def test_a_job_that_has_ended_shows_none(ask: Ask, http: httpx.Client, worker: Worker) -> None:
    job_id = ask(preview_every=1)["id"]
    job = worker.claim()
    preview(worker, job, 1)
    worker.finish(job)

    with watching(http, job_id) as events:
        assert [event.type for event in events] == ["started", "succeeded"]


def test_a_request_says_what_it_asked_for(ask: Ask) -> None:
    assert ask(preview_every=7)["request"]["preview_every"] == 7
    assert ask()["request"]["preview_every"] == 0
