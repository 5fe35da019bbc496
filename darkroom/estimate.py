"""When a job will be done, as far as can be told. Pure arithmetic over what the store measured."""

from darkroom.jobs import Job, JobState
from darkroom.store import Place


def eta_s(job: Job, place: Place | None, lane_speed: float | None, lanes: int) -> float | None:
    """Seconds until the job's images are there.

    Work that is before it, over the speed of all lanes, then its own work at one lane's speed; both in
    megapixel-steps. None when no worker serves the model, or none has finished a job of it yet.
    """
    if not lane_speed or not lanes or job.state.is_final:
        return None
    if job.state is JobState.RUNNING:
        done = job.step / job.steps if job.steps else 0.0
        return job.request.cost * (1 - done) / lane_speed
    ahead = place.cost_ahead if place else 0.0
    return ahead / (lane_speed * lanes) + job.request.cost / lane_speed
