"""From a model's card to its lanes: load the weights once, measure what a forward is worth, run an image through."""

import structlog

from darkroom.catalogue import ModelCard
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import Settings
from gpu_worker.batching.call import Call
from gpu_worker.batching.engine import Engine
from gpu_worker.batching.knee_file import KneeFile
from gpu_worker.lane import Draw
from gpu_worker.lanes import Lanes
from gpu_worker.painting import learn_painter
from gpu_worker.pipeline_lane import PipelineLane
from models.device import Device
from models.loading import load_pipeline

log = structlog.get_logger()


class Nobody:
    """Watches the warm-up."""

    job_id = ""

    def check(self) -> None:
        pass

    def step_done(self, step: int, steps: int) -> None:
        pass

    def preview(self, step: int, steps: int, draw: Draw) -> None:
        pass


def load_lanes(card: ModelCard, device: Device, engine: Engine, settings: Settings) -> Lanes:
    """Raises WeightsMissing, WeightsRefused, Misconfigured."""
    log.info("model.loading", model=card.id, device=device.name)
    base = load_pipeline(card, device=device.name, dtype=device.dtype_of(card), weights_dir=settings.weights_dir)
    _keep_prompts_out_of_the_log()
    painter = learn_painter(card, base, engine, device, settings.weights_dir)
    lanes = [PipelineLane(card, base, engine, painter) for _ in range(settings.lanes)]
    with engine.tapped() as calls:
        lanes[0].run(warm_up_request(card), Nobody())
    _measure(calls, engine, KneeFile(settings.data_dir / "knees", card.id, device.name), settings)
    log.info("model.warm", model=card.id, lanes=len(lanes))
    return Lanes(lanes, kept_for_interactive=settings.interactive_lanes)


def _measure(calls: list[Call], engine: Engine, kept: KneeFile, settings: Settings) -> None:
    """The knee of every network that the warm-up called. With guidance, a lane brings two rows."""
    for call in {call.fit: call for call in calls}.values():
        rows = kept.get(call.fit)
        if rows is None:
            rows = engine.knee(call, most_rows=2 * settings.lanes)
            kept.put(call.fit, rows)
        engine.knees.measured(call.fit, rows)
        log.info("model.knee", network=call.entry.network, entry=call.entry.name, rows=rows)


def _keep_prompts_out_of_the_log() -> None:
    """CLIP pipelines warn of a prompt that is too long by printing what they cut off, on a handler of their own."""
    from diffusers.utils import logging

    logging.set_verbosity_error()


def warm_up_request(card: ModelCard) -> ImageRequest:
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
