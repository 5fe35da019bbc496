"""Estimates: with room at once, behind others, behind a class that goes first, and not at all."""

import math
from dataclasses import replace
from typing import Any

import pytest

from darkroom.estimates.eta import Crew, crew_of, drain_s, eta_s
from darkroom.estimates.line_state import LineState, Place
from darkroom.estimates.speeds import CROWDING, Speeds
from darkroom.jobs import Job, JobState
from darkroom.request import Priority
from darkroom.workers import WorkerInfo
from tests.conftest import MakeRequest

# Alone, a lane does a megapixel-step a second. One measurement alone, so `Speeds` takes the rest by CROWDING.
ALONE = Speeds({"interactive 3 0": "10 100 100 100", "interactive all 0": "10 100 100 100"})
# One worker of four lanes, of which three may take bulk jobs.
CREW = Crew(workers=1, lanes=4, bulk_lanes=3)


def itself_s(concurrency: int) -> float:
    """How long a job of ten is under way beside so many, itself among them."""
    return 10 * math.pow(concurrency, CROWDING)


def each_end_s(lanes: int) -> float:
    """From one end to the next, with so many of these jobs under way."""
    return itself_s(lanes) / lanes


@pytest.fixture
def job(request_of: MakeRequest) -> Job:
    """Ten megapixel-steps."""
    return Job("1" * 28, "alice", request_of(steps=10), JobState.QUEUED, 0)


def line(**changes: Any) -> LineState:
    return replace(LineState(ALONE), **changes)


def test_with_a_free_lane_it_is_the_job_s_own_time(job: Job) -> None:
    assert eta_s(job, Place(0, 0, 0, 0), line(), CREW) == pytest.approx(itself_s(1))


def test_jobs_that_find_lanes_too_count(job: Job) -> None:
    assert eta_s(job, Place(2, 20, 2, 20), line(interactive=1), CREW) == pytest.approx(itself_s(4))


def test_behind_full_lanes_it_waits_for_as_many_ends_as_it_needs(job: Job) -> None:
    """Seven are before it, so the eighth end is its turn."""
    expected = 8 * each_end_s(4) + itself_s(4)

    assert eta_s(job, Place(7, 70, 7, 70), line(interactive=4), CREW) == pytest.approx(expected)


def test_lanes_taken_by_bulk_jobs_are_no_lanes_for_interactive_ones(job: Job) -> None:
    """One lane is left, and it is taken."""
    busy = line(interactive=1, bulk=3)

    assert eta_s(job, Place(1, 10, 1, 10), busy, CREW) == pytest.approx(2 * each_end_s(1) + itself_s(1))


def test_a_bulk_job_waits_for_all_interactive_ones_first(job: Job, request_of: MakeRequest) -> None:
    bulk = replace(job, request=request_of(steps=10, priority=Priority.BULK))
    alone = eta_s(bulk, Place(0, 0, 0, 0), line(), CREW)

    behind = eta_s(bulk, Place(4, 40, 0, 0), line(interactive_work=40), CREW)

    assert alone
    assert behind == pytest.approx(alone + 4 * each_end_s(4))


def test_the_lane_kept_for_interactive_jobs_is_not_counted_for_a_bulk_one(job: Job, request_of: MakeRequest) -> None:
    bulk = replace(job, request=request_of(steps=10, priority=Priority.BULK))

    at_once = eta_s(bulk, Place(0, 0, 0, 0), line(bulk=2), CREW)
    waiting = eta_s(bulk, Place(0, 0, 0, 0), line(bulk=3), CREW)

    assert at_once == pytest.approx(itself_s(3))
    assert waiting == pytest.approx(each_end_s(3) + itself_s(3))


def test_two_workers_share_the_line(job: Job) -> None:
    two = Crew(workers=2, lanes=8, bulk_lanes=6)
    expected = 8 * each_end_s(4) / 2 + itself_s(4)

    assert eta_s(job, Place(7, 70, 7, 70), line(interactive=8), two) == pytest.approx(expected)


def test_a_running_job_needs_what_is_left_of_it(job: Job) -> None:
    running = replace(job, state=JobState.RUNNING, step=4, steps=10)

    assert eta_s(running, None, line(interactive=2), CREW) == pytest.approx(0.6 * itself_s(2))


def test_a_bulk_job_that_runs_pauses_until_the_interactive_ones_are_done(job: Job, request_of: MakeRequest) -> None:
    """One is under way, on average half done."""
    bulk = replace(job, request=request_of(steps=10, priority=Priority.BULK), state=JobState.RUNNING, step=5, steps=10)

    assert eta_s(bulk, None, line(interactive=1, bulk=1), CREW) == pytest.approx(0.5 * itself_s(1) + 5)


def test_a_job_whose_steps_are_done_still_has_its_images_to_store(job: Job) -> None:
    stored = replace(job, state=JobState.RUNNING, step=10, steps=10)

    assert eta_s(stored, None, line(interactive=1), CREW) == pytest.approx(1)


def test_nothing_is_promised_without_a_worker_without_a_measurement_or_after_the_end(job: Job) -> None:
    assert eta_s(job, Place(0, 0, 0, 0), line(), Crew(0, 0, 0)) is None
    assert eta_s(job, Place(0, 0, 0, 0), LineState(Speeds({})), CREW) is None
    assert eta_s(replace(job, state=JobState.SUCCEEDED), None, line(), CREW) is None


def test_only_workers_of_the_model_count_and_a_worker_always_takes_a_bulk_job() -> None:
    workers = [
        WorkerInfo("a", "gpu", ["minilab"], lanes=4),
        WorkerInfo("b", "gpu", ["minilab", "other"], lanes=1),
        WorkerInfo("c", "gpu", ["other"], lanes=8),
        WorkerInfo("e", "gpu", ["minilab", "other"], lanes=16, fewer={"minilab": 3}),
        WorkerInfo("d", "cpu", [], lanes=4),
    ]

    assert crew_of(workers, "minilab", interactive_lanes=1) == Crew(workers=3, lanes=8, bulk_lanes=6)


def test_a_line_drains_at_the_speed_of_all_lanes() -> None:
    assert drain_s(40, line(), CREW) == pytest.approx(4 * each_end_s(4))
    assert drain_s(40, LineState(Speeds({})), CREW) is None
    assert drain_s(40, line(), Crew(0, 0, 0)) is None
