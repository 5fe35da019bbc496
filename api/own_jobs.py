"""Jobs as one owner may see them: another's job is as good as none."""

import re
from contextlib import suppress

from api.services import Services
from darkroom.errors import UnknownImage, UnknownJob
from darkroom.jobs import Job, StoredImage

JOB_ID = re.compile(r"^[0-9a-f]{28}$")


def own_job(job_id: str, owner: str, services: Services) -> Job:
    """Raises UnknownJob, in the same words whether it is another's or nobody's; RedisUnavailable."""
    if JOB_ID.fullmatch(job_id):
        with suppress(UnknownJob):
            job = services.store.get(job_id)
            if job.owner == owner:
                return job
    raise UnknownJob(
        f"There is no job {job_id[:80]}. Check the id; it may have been deleted, or be past its retention."
    )


def own_image(image_id: str, owner: str, services: Services) -> tuple[Job, StoredImage]:
    """Raises UnknownImage, RedisUnavailable."""
    job_id, _, index = image_id.rpartition("-")
    try:
        job = own_job(job_id, owner, services)
    except UnknownJob:
        raise _unknown(image_id) from None
    for image in job.images:
        if str(image.index) == index:
            return job, image
    raise _unknown(image_id)


def _unknown(image_id: str) -> UnknownImage:
    return UnknownImage(
        f"There is no image {image_id[:80]}. An image's id is its job's id, a dash and its number, "
        "and it exists once its job has succeeded."
    )
