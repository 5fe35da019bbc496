"""When a job will be done, as far as can be told. Pure arithmetic over what the store measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.estimates.line_state import LineState, Place
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
    lanes = [worker.lanes_for(model) for worker in workers if model in worker.models]
    return Crew(len(lanes), sum(lanes), sum(min(own, max(1, own - interactive_lanes)) for own in lanes))


def eta_s(job: Job, place: Place | None, line: LineState, crew: Crew) -> float | None:
    """Seconds until the job's images are there, if nobody comes who goes before it.

    None when no worker serves the model, when none has finished a job of it yet, or when the job is final.
    """
    if not crew.lanes or job.state.is_final:
        return None
    if job.state is JobState.RUNNING:
        return _sum(_pause_s(job, line, crew), _rest_s(job, line, crew))
    place = place or Place(0, 0.0, 0, 0.0)
    return _sum(_pause_s(job, line, crew), _turn_s(job, place, line, crew), _own_s(job, place, line, crew))


def drain_s(work: float, line: LineState, crew: Crew) -> float | None:
    """Seconds until so much waiting work is under way; None where that cannot be told."""
    speed = _speed(Priority.INTERACTIVE, crew.lanes, line, crew) if crew.lanes else None
    return work / speed if speed else None


def _pause_s(job: Job, line: LineState, crew: Crew) -> float:
    """A bulk job waits until no interactive one is left, though it has a lane; those under way are half done."""
    if job.request.priority is not Priority.BULK:
        return 0.0
    usual = line.speeds.usual_cost(Priority.INTERACTIVE) or 0.0
    work = line.interactive_work + line.interactive * usual / 2
    lanes = crew.lanes - line.bulk if line.interactive_work else line.interactive
    speed = _speed(Priority.INTERACTIVE, lanes, line, crew)
    return work / speed if speed else 0.0


def _turn_s(job: Job, place: Place, line: LineState, crew: Crew) -> float | None:
    """Until as many jobs have ended as it takes for a free lane, each as long as those before it are on average."""
    priority, lanes = job.request.priority, _lanes(job, line, crew)
    free = min(lanes - _running(priority, line), crew.lanes - line.interactive - line.bulk)
    ends = place.own_position + 1 - max(0, free)
    if ends <= 0:
        return 0.0
    speed = _speed(priority, lanes, line, crew)
    position, work = place.own_position, place.own_work
    each = work / position if position else line.speeds.usual_cost(priority)
    return None if speed is None or each is None else ends * each / speed


def _own_s(job: Job, place: Place, line: LineState, crew: Crew) -> float | None:
    """From its start on, beside those before it."""
    priority = job.request.priority
    concurrency = min(_lanes(job, line, crew), _running(priority, line) + place.own_position + 1)
    return line.speeds.lane_seconds(job.request.cost, priority, concurrency / crew.workers)


def _rest_s(job: Job, line: LineState, crew: Crew) -> float | None:
    """Like a job of what is left: nearly done, it goes before longer ones, and its images are still to be stored."""
    left = 1 - min(job.step, job.steps - 1) / job.steps if job.steps else 1.0
    concurrency = _running(job.request.priority, line) / crew.workers
    return line.speeds.lane_seconds(job.request.cost * left, job.request.priority, concurrency)


def _lanes(job: Job, line: LineState, crew: Crew) -> int:
    """That jobs of its class can have. Bulk jobs hold theirs while they pause."""
    return max(1, crew.bulk_lanes if job.request.priority is Priority.BULK else crew.lanes - line.bulk)


def _running(priority: Priority, line: LineState) -> int:
    return line.bulk if priority is Priority.BULK else line.interactive


def _speed(priority: Priority, lanes: int, line: LineState, crew: Crew) -> float | None:
    """Of all workers together, when so many lanes are busy."""
    one = line.speeds.worker_speed(priority, lanes / crew.workers)
    return None if one is None else one * crew.workers


def _sum(*parts: float | None) -> float | None:
    return None if None in parts else sum(part for part in parts if part is not None)
