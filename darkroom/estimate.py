"""When a job will be done, as far as can be told. Pure arithmetic over what the store measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.jobs import Job, JobState
from darkroom.presence import WorkerInfo
from darkroom.request import Priority
from darkroom.speeds import Speeds
from darkroom.traffic import Place, Traffic


@dataclass(frozen=True)
class Crew:
    """The live workers of a model: how many, and how many jobs they take in together."""

    workers: int
    lanes: int
    bulk_lanes: int
    """Bulk jobs are not given the lanes kept for interactive ones."""


def crew_of(workers: Sequence[WorkerInfo], model: str, interactive_lanes: int) -> Crew:
    own = [worker for worker in workers if model in worker.models]
    return Crew(
        len(own),
        sum(worker.lanes for worker in own),
        sum(min(worker.lanes, max(1, worker.lanes - interactive_lanes)) for worker in own),
    )


def eta_s(job: Job, place: Place | None, traffic: Traffic, crew: Crew) -> float | None:
    """Seconds until the job's images are there.

    None when no worker serves the model, when none has finished a job of it yet, or when the job is final.
    """
    if not crew.lanes or job.state.is_final:
        return None
    if job.state is JobState.RUNNING:
        return _rest_s(job, traffic, crew)
    return _waiting_s(job, place or Place(0, 0.0), traffic, crew)


def drain_s(work: float, traffic: Traffic, crew: Crew) -> float | None:
    """Seconds until so much waiting work is under way; None where that cannot be told."""
    speed = _speed(Priority.INTERACTIVE, crew.lanes, traffic.speeds, crew) if crew.lanes else None
    return work / speed if speed else None


def _rest_s(job: Job, traffic: Traffic, crew: Crew) -> float | None:
    whole = traffic.speeds.lane_seconds(
        job.request.cost, job.request.priority, _company(job.request.priority, traffic) / crew.workers
    )
    done = job.step / job.steps if job.steps else 0.0
    return None if whole is None else whole * (1 - done)


def _waiting_s(job: Job, place: Place, traffic: Traffic, crew: Crew) -> float | None:
    """First those before it, at the speed of workers whose lanes are full; then itself, in that company."""
    priority = job.request.priority
    is_bulk = priority is Priority.BULK
    lanes = max(1, min(crew.bulk_lanes, crew.lanes) if is_bulk else crew.lanes - traffic.bulk)
    running = traffic.bulk if is_bulk else traffic.interactive
    free = max(0, min(lanes - running, crew.lanes - traffic.interactive - traffic.bulk))
    own_position = place.position - place.interactive_jobs
    company = min(lanes, running + own_position + 1)
    itself = traffic.speeds.lane_seconds(job.request.cost, priority, company / crew.workers)
    before = _turn_s(place, own_position + 1 - free, priority, lanes, traffic, crew)
    return None if itself is None or before is None else before + itself


def _turn_s(
    place: Place, ends_needed: int, priority: Priority, lanes: int, traffic: Traffic, crew: Crew
) -> float | None:
    """Seconds until so many jobs have ended that a lane is free, each as long as those before it are on average."""
    first = 0.0
    if place.interactive_jobs:
        interactive = _speed(Priority.INTERACTIVE, crew.lanes - traffic.bulk, traffic.speeds, crew)
        first = place.interactive_work / interactive if interactive else 0.0
    if ends_needed <= 0:
        return first
    speed = _speed(priority, lanes, traffic.speeds, crew)
    position = place.position - place.interactive_jobs
    work = place.work - place.interactive_work
    each = work / position if position else traffic.speeds.usual_cost(priority)
    return None if speed is None or each is None else first + ends_needed * each / speed


def _speed(priority: Priority, lanes: int, speeds: Speeds, crew: Crew) -> float | None:
    """Of all workers together, when so many lanes are busy."""
    one = speeds.worker_speed(priority, lanes / crew.workers)
    return None if one is None else one * crew.workers


def _company(priority: Priority, traffic: Traffic) -> float:
    """Bulk jobs give way to interactive ones, which do not notice them."""
    return traffic.interactive + (traffic.bulk if priority is Priority.BULK else 0)
