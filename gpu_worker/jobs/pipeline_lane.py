"""A lane that runs the stock diffusers pipeline, over weights and networks that a model's lanes share."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog
import torch

from darkroom.catalogue import ModelCard
from darkroom.errors import DarkroomError, GenerationFailed, InputMissing, OutOfMemory
from darkroom.inputs import Task
from darkroom.request import ImageRequest, Priority
from gpu_worker.engine.call import Run
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.proxy import share_networks
from gpu_worker.engine.run_slot import RunSlot, StepDone
from gpu_worker.jobs.lanes import Watch
from gpu_worker.jobs.second_try import tried_twice
from gpu_worker.memory.device import is_out_of_memory
from gpu_worker.memory.job_memory import Gate
from gpu_worker.previews.capture import PreviewDecoder, capturing
from gpu_worker.step_reuse.policy import LEVELS
from gpu_worker.step_reuse.run import StepReuse
from models.call import call_arguments
from models.lane_pipeline import choose_scheduler, lane_pipeline
from models.pictures import Pictures, Read, pictures_of
from models.tasks import task_pipeline

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from PIL.Image import Image

log = structlog.get_logger()

URGENCY = {Priority.INTERACTIVE: 0, Priority.BULK: 1}
NONE: Mapping[str, object] = MappingProxyType({})


def no_inputs(input_id: str) -> "Image":
    """Of a lane that stands alone."""
    raise InputMissing(f"This worker reads no inputs, so it has no {input_id}.")


class PipelineLane:
    """Runs the stock diffusers pipeline; its networks are stood in for, and run in the engine's thread."""

    def __init__(
        self,
        card: ModelCard,
        base: "DiffusionPipeline",
        engine: Engine,
        decoder: PreviewDecoder | None = None,
        gate: Gate | None = None,
        read: Read = no_inputs,
        controlnets: Mapping[str, object] = NONE,
    ) -> None:
        self._card = card
        self._base = base
        self._decoder = decoder
        self._gate = gate or Gate(engine.memory_budget)
        self._slot = RunSlot(engine)
        self._read = read
        self._pipelines = TaskPipelines(card, base, self._slot, controlnets)
        # Asked once: diffusers looks through all modules for it.
        self._is_cuda = base.device.type == "cuda"

    def run(self, request: ImageRequest, watch: Watch) -> "list[Image]":
        pictures = pictures_of(request, self._read)
        return tried_twice(lambda: self._draw(request, pictures, watch))

    def _draw(self, request: ImageRequest, pictures: Pictures, watch: Watch) -> "list[Image]":
        pipeline = self._pipelines.of(request)
        on_cpu = self._slot.shares_networks and self._is_cuda
        choose_scheduler(pipeline, self._base, request.scheduler, stays_on_cpu=on_cpu)
        reuse = StepReuse(LEVELS[request.step_reuse], pipeline) if request.step_reuse != "off" else None
        run = Run(URGENCY[request.priority], request.cost, time.monotonic(), watch.check, watch.job_id, reuse)
        try:
            with (
                self._gate.passed(request, watch.check, images_read=_images_read(request)),
                capturing(self._decoder, pipeline, request, watch) as capture,
            ):
                arguments = call_arguments(self._card, request, pictures)
                arguments |= {"generator": _generators(request), "output_type": "pil"}
                output = self._slot.draw(pipeline, run, _reporting(reuse, watch, capture), arguments)
        except DarkroomError:  # what the watch raised
            raise
        except Exception as error:
            raise (_too_large(request) if is_out_of_memory(error) else _stopped(error)) from error
        if reuse:
            log.info("job.steps_reused", level=request.step_reuse, steps=reuse.reused)
        images: list[Image] = output.images
        return images


def _images_read(request: ImageRequest) -> int:
    """Beside the one that is drawn, in each step."""
    return len(request.image) if request.task is Task.EDIT else 0


def _generators(request: ImageRequest) -> list[object]:
    """One for each image, on the CPU: the same seed gives the same noise on every device, whatever `n` is."""
    return [torch.Generator("cpu").manual_seed(request.seed_of(index)) for index in range(request.n)]


def _reporting(reuse: StepReuse | None, watch: Watch, capture: StepDone) -> StepDone:
    def step_done(step: int, steps: int, tensors: Mapping[str, Any]) -> None:
        if reuse:
            reuse.step_done()
        watch.step_done(step, steps)
        capture(step, steps, tensors)

    return step_done


def _stopped(error: Exception) -> GenerationFailed:
    return GenerationFailed(
        f"The model stopped with {type(error).__name__}. The same request may fail again: try other values, "
        "or ask the operator, who finds the details in the worker's log under this job's id."
    )


def _too_large(request: ImageRequest) -> OutOfMemory:
    return OutOfMemory(
        f"{request.n} image(s) of {request.width}x{request.height} do not fit into this worker's memory. "
        "Ask for a smaller size, or for fewer images at once."
    )


class TaskPipelines:
    """A lane's pipelines: one for each task, made when the first job asks for it, over the same shared networks.

    Jobs of different tasks therefore call the same networks, and meet in their forwards wherever the calls fit.
    """

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
