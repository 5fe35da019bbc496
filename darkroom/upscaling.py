"""Images made larger by a network, on CPU workers: what a job of that kind asks for. Knows no network."""

from collections.abc import Sequence

from darkroom.inputs import Task
from darkroom.jobs import Job, StoredImage
from darkroom.request import ImageRequest

# What such a job's line is called, where others have their diffusion model's: the network's own name.
UPSCALER = "realesr-animevideov3"
# A worker has all of an upscaled image in memory, more than once.
MOST_PIXELS = 33_554_432


def is_too_large(width: int, height: int, factor: int) -> bool:
    return width * factor * height * factor > MOST_PIXELS


def upscale_request(job: Job, images: Sequence[StoredImage], factor: int) -> ImageRequest:
    """For images of one job. They are named by their own ids: as long as they are there, nothing is kept twice."""
    made, first = job.request, images[0]
    return ImageRequest(
        model=UPSCALER,
        prompt=made.prompt,
        negative_prompt=None,
        width=first.width * factor,
        height=first.height * factor,
        # So that its cost is that of its pixels.
        steps=1,
        guidance_scale=0.0,
        seed=first.seed,
        n=len(images),
        scheduler="none",
        output_format=made.output_format,
        output_quality=made.output_quality,
        priority=made.priority,
        task=Task.UPSCALE,
        image=tuple(f"{job.id}-{image.index}" for image in images),
        upscale=factor,
    )


def upscale_job_of(job_id: str) -> str:
    """The id of the job that upscales what this one makes, where its request says so.

    Told by its parent's, so that clients know it from the start, and however often it is made it is made once.
    """
    return f"{int(job_id, 16) + 1:028x}"
