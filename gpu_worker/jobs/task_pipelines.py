"""A lane's pipelines: one for each task, made when the first job asks for it, over the same shared networks.

Jobs of different tasks therefore call the same networks, and meet in their forwards wherever the calls fit.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from darkroom.catalogue import ModelCard
from darkroom.errors import InputMissing
from darkroom.inputs import Task
from darkroom.request import ImageRequest
from gpu_worker.engine.proxy import share_networks
from gpu_worker.engine.run_slot import RunSlot
from models.lane_pipeline import lane_pipeline
from models.tasks import task_pipeline

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from PIL.Image import Image

NONE: Mapping[str, object] = MappingProxyType({})


def no_inputs(input_id: str) -> "Image":
    """Of a lane that stands alone."""
    raise InputMissing(f"This worker reads no inputs, so it has no {input_id}.")


class TaskPipelines:
    def __init__(
        self, card: ModelCard, base: "DiffusionPipeline", slot: RunSlot, controlnets: Mapping[str, object]
    ) -> None:
        self._card = card
        self._base = base
        self._slot = slot
        self._controlnets = controlnets
        # diffusers gives its base class no __call__.
        self._made: dict[tuple[str, str | None], Any] = {}
        self._of(Task.TEXT_TO_IMAGE, None)

    def of(self, request: ImageRequest) -> Any:
        """Raises Misconfigured for a task that diffusers does not know."""
        task = Task.TEXT_TO_IMAGE if request.task is Task.EDIT else request.task
        return self._of(task, request.controlnet)

    def _of(self, task: Task, controlnet: str | None) -> Any:
        name = (task.value, controlnet)
        if name not in self._made:
            parts = {"controlnet": self._controlnets[controlnet]} if controlnet else {}
            pipeline: Any = lane_pipeline(task_pipeline(self._card, self._base, task, **parts))
            share_networks(pipeline, self._slot)
            self._made[name] = pipeline
        return self._made[name]
