"""A lane's own pipeline object: light, over the weights that all lanes share.

Sharing one object would go wrong: a scheduler counts its steps, and a fast tokenizer keeps padding and truncation
as state of its own, so that two threads at once give wrong images without an error.
"""

import copy
from typing import TYPE_CHECKING

from models.cpu_schedule import keep_on_cpu
from models.schedulers import own_scheduler

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def lane_pipeline(base: "DiffusionPipeline", scheduler_name: str | None = None) -> "DiffusionPipeline":
    """A pipeline of its own over `base`'s networks.

    Made once for each lane; from then on `choose_scheduler` fits it to each job.
    """
    lane = copy.copy(base)
    for name, component in base.components.items():
        if "tokenizer" in name and component is not None:
            setattr(lane, name, copy.deepcopy(component))
    choose_scheduler(lane, base, scheduler_name)
    return lane


def choose_scheduler(
    lane: "DiffusionPipeline", base: "DiffusionPipeline", scheduler_name: str | None, *, stays_on_cpu: bool = False
) -> None:
    """A fresh scheduler for the lane's next job. Only networks that are stood in for take timesteps on the CPU.

    It is made from the base's configuration, never from the lane's last one: that would carry the settings of
    one job's scheduler into the next job's.
    """
    lane.scheduler = own_scheduler(base, scheduler_name)
    if stays_on_cpu:
        keep_on_cpu(lane.scheduler)
