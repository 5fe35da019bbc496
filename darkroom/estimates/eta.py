"""When a job will be done, as far as can be told. Pure arithmetic over what the store measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.estimates.line_state import Place, Traffic
from darkroom.jobs import Job, JobState
from darkroom.request import Priority
from darkroom.workers import WorkerInfo


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
    """Seconds until the job's images are there, if nobody comes who goes before it.

    None when no worker serves the model, when none has finished a job of it yet, or when the job is final.
    """
    if not crew.lanes or job.state.is_final:
        return None
    if job.state is JobState.RUNNING:
        return _sum(_pause_s(job, traffic, crew), _rest_s(job, traffic, crew))
    place = place or Place(0, 0.0, 0, 0.0)
    return _sum(_pause_s(job, traffic, crew), _turn_s(job, place, traffic, crew), _own_s(job, place, traffic, crew))


def drain_s(work: float, traffic: Traffic, crew: Crew) -> float | None:
    """Seconds until so much waiting work is under way; None where that cannot be told."""
    speed = _speed(Priority.INTERACTIVE, crew.lanes, traffic, crew) if crew.lanes else None
    return work / speed if speed else None


def _pause_s(job: Job, traffic: Traffic, crew: Crew) -> float:
    """A bulk job waits until no interactive one is left, though it has a lane; those under way are half done."""
    if job.request.priority is not Priority.BULK:
        return 0.0
    usual = traffic.speeds.usual_cost(Priority.INTERACTIVE) or 0.0
    work = traffic.interactive_work + traffic.interactive * usual / 2
    lanes = crew.lanes - traffic.bulk if traffic.interactive_work else traffic.interactive
    speed = _speed(Priority.INTERACTIVE, lanes, traffic, crew)
    return work / speed if speed else 0.0


def _turn_s(job: Job, place: Place, traffic: Traffic, crew: Crew) -> float | None:
    """Until as many jobs have ended as it takes for a free lane, each as long as those before it are on average."""
    priority, lanes = job.request.priority, _lanes(job, traffic, crew)
    free = min(lanes - _running(priority, traffic), crew.lanes - traffic.interactive - traffic.bulk)
    ends = place.own_position + 1 - max(0, free)
    if ends <= 0:
        return 0.0
    speed = _speed(priority, lanes, traffic, crew)
    position, work = place.own_position, place.own_work
    each = work / position if position else traffic.speeds.usual_cost(priority)
    return None if speed is None or each is None else ends * each / speed


def _own_s(job: Job, place: Place, traffic: Traffic, crew: Crew) -> float | None:
    """From its start on, in the company of those before it."""
    priority = job.request.priority
    company = min(_lanes(job, traffic, crew), _running(priority, traffic) + place.own_position + 1)
    return traffic.speeds.lane_seconds(job.request.cost, priority, company / crew.workers)


def _rest_s(job: Job, traffic: Traffic, crew: Crew) -> float | None:
    """Like a job of what is left: nearly done, it goes before longer ones, and its images are still to be stored."""
    left = 1 - min(job.step, job.steps - 1) / job.steps if job.steps else 1.0
    company = _running(job.request.priority, traffic) / crew.workers
    return traffic.speeds.lane_seconds(job.request.cost * left, job.request.priority, company)


def _lanes(job: Job, traffic: Traffic, crew: Crew) -> int:
    """That jobs of its class can have. Bulk jobs hold theirs while they pause."""
    return max(1, crew.bulk_lanes if job.request.priority is Priority.BULK else crew.lanes - traffic.bulk)


def _running(priority: Priority, traffic: Traffic) -> int:
    return traffic.bulk if priority is Priority.BULK else traffic.interactive


def _speed(priority: Priority, lanes: int, traffic: Traffic, crew: Crew) -> float | None:
    """Of all workers together, when so many lanes are busy."""
    one = traffic.speeds.worker_speed(priority, lanes / crew.workers)
    return None if one is None else one * crew.workers


def _sum(*parts: float | None) -> float | None:
    return None if None in parts else sum(part for part in parts if part is not None)
