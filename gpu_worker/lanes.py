"""Lanes: room for one job each, over the weights that a model's lanes share.

Today a lane calls the networks itself, so a worker has one lane unless told otherwise. Batching comes in
between a lane's pipeline and its networks, and changes nothing here: `lane_pipeline` makes the light pipeline
object, and what it holds as `unet` or `transformer` may as well be a proxy that shares a forward with others.
"""

import queue
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from darkroom.catalogue import ModelCard
from darkroom.errors import DarkroomError, GenerationFailed, OutOfMemory
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import Settings
from models.call import call_arguments
from models.device import Device
from models.lane_pipeline import choose_scheduler, lane_pipeline
from models.loading import load_pipeline

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from PIL.Image import Image

log = structlog.get_logger()

OnStep = Callable[[int, int], None]
"""Called with (steps done, steps in all) in the lane's thread; raising ends the run."""

# A lane is free as soon as its Celery thread is, and there are as many of each.
LANE_WAIT_S = 3600


class Lane(Protocol):
    def run(self, request: ImageRequest, on_step: OnStep) -> "list[Image]":
        """Draw the request's images, in order. The same request gives the same images.

        Raises OutOfMemory, GenerationFailed, and whatever `on_step` raises.
        """


class PipelineLane:
    """A lane with a diffusers pipeline of its own over the weights of `base`."""

    def __init__(self, card: ModelCard, base: "DiffusionPipeline") -> None:
        self._card = card
        self._base = base
        # diffusers gives its base class no __call__.
        self._pipeline: Any = lane_pipeline(base)

    def run(self, request: ImageRequest, on_step: OnStep) -> "list[Image]":
        choose_scheduler(self._pipeline, self._base, request.scheduler)
        try:
            output = self._pipeline(
                **call_arguments(self._card, request),
                generator=_generators(request),
                callback_on_step_end=_reporting(on_step),
                output_type="pil",
            )
        except DarkroomError:  # what on_step raised
            raise
        except Exception as error:
            raise (_too_large(request) if _is_out_of_memory(error) else _stopped(error)) from error
        images: list[Image] = output.images
        return images


class Lanes:
    """The lanes of one model."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self._idle: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        for lane in lanes:
            self._idle.put(lane)

    @classmethod
    def load(cls, card: ModelCard, device: Device, settings: Settings) -> "Lanes":
        """Raises WeightsMissing, WeightsRefused, Misconfigured."""
        log.info("model.loading", model=card.id, device=device.name)
        base = load_pipeline(card, device=device.name, dtype=device.dtype_of(card), weights_dir=settings.weights_dir)
        _keep_prompts_out_of_the_log()
        lanes = cls(PipelineLane(card, base) for _ in range(settings.lanes))
        with lanes.open() as lane:
            lane.run(_warm_up_request(card), lambda _step, _steps: None)
        log.info("model.warm", model=card.id)
        return lanes

    @contextmanager
    def open(self) -> Iterator[Lane]:
        lane = self._idle.get(timeout=LANE_WAIT_S)
        try:
            yield lane
        finally:
            self._idle.put(lane)


def _keep_prompts_out_of_the_log() -> None:
    """CLIP pipelines warn of a prompt that is too long by printing what they cut off, on a handler of their own."""
    from diffusers.utils import logging

    logging.set_verbosity_error()


def _generators(request: ImageRequest) -> list[object]:
    """One for each image, on the CPU: the same seed gives the same noise on every device, whatever `n` is."""
    import torch

    return [torch.Generator("cpu").manual_seed(request.seed_of(index)) for index in range(request.n)]


def _reporting(on_step: OnStep) -> Callable[..., dict[str, Any]]:
    """What diffusers calls at each step's end. Second-order schedulers take more network steps than were asked for."""

    def callback(
        pipeline: "DiffusionPipeline", index: int, _timestep: object, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        on_step(index + 1, max(index + 1, pipeline.num_timesteps))
        return tensors

    return callback


def _is_out_of_memory(error: Exception) -> bool:
    """CUDA has an exception of its own for it; the CPU and Apple's GPU only have words."""
    import torch

    words = ("can't allocate memory", "out of memory")
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


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


def _warm_up_request(card: ModelCard) -> ImageRequest:
    """One image of the usual size in as few steps as the model knows."""
    return ImageRequest(
        model=card.id,
        prompt="warm-up",
        negative_prompt=None,
        width=card.size.width,
        height=card.size.height,
        steps=card.steps.min,
        guidance_scale=card.guidance_scale.default,
        seed=0,
        n=1,
        scheduler=card.scheduler,
        output_format=OutputFormat.PNG,
        priority=Priority.BULK,
    )
