"""Which pipeline of diffusers does what a request asks for, over the networks that a model has loaded already."""

import inspect
from typing import TYPE_CHECKING, Any, cast

from darkroom.catalogue import ModelCard
from darkroom.errors import Misconfigured
from darkroom.inputs import Task

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

# diffusers names the pipelines of one family alike. Those that edit take their images in the pipeline of the card.
SUFFIXES = {
    Task.IMAGE_TO_IMAGE: "Img2ImgPipeline",
    Task.INPAINTING: "InpaintPipeline",
    Task.CONTROLNET: "ControlNetPipeline",
}


def pipeline_of(card: ModelCard, task: Task) -> str:
    """Name of the class."""
    return card.pipeline.removesuffix("Pipeline") + SUFFIXES.get(task, "Pipeline")


def task_pipeline(card: ModelCard, base: "DiffusionPipeline", task: Task, **parts: object) -> "DiffusionPipeline":
    """A pipeline for this task over `base`'s components, and `parts` that only it has. Light: no weights are copied.

    Not `from_pipe`, which casts the weights that it is given to float32. Raises Misconfigured.
    """
    import diffusers

    pipeline_class: Any = getattr(diffusers, pipeline_of(card, task), None)
    if pipeline_class is None:
        raise Misconfigured(
            f"The catalogue's entry [{card.id}] has the task {task}, for which diffusers {diffusers.__version__} "
            f"would need {pipeline_of(card, task)}: take it out of `tasks`."
        )
    if pipeline_class is type(base):
        return base
    known = {**base.config, **base.components, **parts}
    names = inspect.signature(pipeline_class.__init__).parameters
    pipeline = pipeline_class(**{name: known[name] for name in names if name in known})
    pipeline.set_progress_bar_config(disable=True)
    return cast("DiffusionPipeline", pipeline)
