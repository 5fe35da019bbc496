"""From a model's card to its lanes: load the weights once, measure what a forward is worth, run an image through."""

from functools import partial
from typing import TYPE_CHECKING

import structlog

from darkroom.catalogue import ModelCard
from darkroom.settings import Settings
from gpu_worker.engine.engine import Engine
from gpu_worker.jobs.lanes import Lanes
from gpu_worker.jobs.pipeline_lane import PipelineLane, no_inputs
from gpu_worker.memory.job_memory import Gate
from gpu_worker.previews.capture import learn_decoder
from gpu_worker.previews.writer import Draw
from gpu_worker.profiling.compiling import Compiled, keep_compiled_in
from gpu_worker.profiling.knee_file import KneeFile, device_mark, digest_of
from gpu_worker.profiling.warm_up import Compile, warm_up
from models.device import Device
from models.loading import load_controlnets, load_pipeline
from models.pictures import Read
from models.tuning import denoiser_of

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

log = structlog.get_logger()

# Jobs under way for each that the forwards have room for.
MOST_LANES_A_PLACE = 4


class Nobody:
    """Watches the warm-up."""

    job_id = ""

    def check(self) -> None:
        pass

    def step_done(self, step: int, steps: int) -> None:
        pass

    def preview(self, step: int, steps: int, draw: Draw) -> None:
        pass


def load_lanes(card: ModelCard, device: Device, engine: Engine, settings: Settings, read: Read = no_inputs) -> Lanes:
    """`read` gives lanes the inputs of their jobs. Raises WeightsMissing, WeightsRefused, Misconfigured."""
    log.info("model.loading", model=card.id, device=device.name)
    base = load_pipeline(card, device=device.name, dtype=device.dtype_of(card), weights_dir=settings.weights_dir)
    _keep_prompts_out_of_the_log()
    decoder = learn_decoder(card, base, engine, device, settings.weights_dir)
    gate = Gate(engine.memory_budget)
    controlnets = load_controlnets(card, base)
    lanes = [PipelineLane(card, base, engine, decoder, gate, read, controlnets) for _ in range(settings.lanes)]
    kept = KneeFile(settings.data_dir / "knees", card.id, device.name, str(card.cuda))
    compile_denoiser = _compiler(card, base, device, settings)
    draw = partial(lanes[0].run, watch=Nobody())
    warm = warm_up(card, draw, engine, kept, 2 * settings.lanes, compile_denoiser)
    gate.know(warm.job_memory)
    lanes = lanes_worth_having(lanes, warm.jobs_in_a_forward * engine.forwards_at_once, card)
    log.info("model.warm", model=card.id, lanes=len(lanes))
    return Lanes(lanes, kept_for_interactive=settings.interactive_lanes)


def lanes_worth_having(lanes: list[PipelineLane], jobs_at_once: int, card: ModelCard) -> list[PipelineLane]:
    """More jobs under way than these make none faster, and hold up those that come: docs/decisions/0006-ageing.md."""
    most = MOST_LANES_A_PLACE * jobs_at_once
    if len(lanes) > most:
        log.info("lanes.clamped", model=card.id, asked_for=len(lanes), lanes=most, jobs_at_once=jobs_at_once)
    return lanes[:most]


def _compiler(card: ModelCard, base: "DiffusionPipeline", device: Device, settings: Settings) -> Compile | None:
    if not (card.cuda.compile and device.name.startswith("cuda")):
        return None
    keep_compiled_in(settings.data_dir / "compiled" / digest_of(device_mark(device.name)))
    return partial(Compiled, denoiser_of(base))


def _keep_prompts_out_of_the_log() -> None:
    """CLIP pipelines warn of a prompt that is too long by printing what they cut off, on a handler of their own."""
    from diffusers.utils import logging

    logging.set_verbosity_error()
