"""Finds at warm-up how a model's latents look, so that previews need nothing but a multiplication."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from darkroom.catalogue import ModelCard
from darkroom.errors import WeightsMissing
from gpu_worker.engine.call import Run
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.proxy import share_networks
from gpu_worker.engine.run_slot import RunSlot
from gpu_worker.previews.capture import PreviewDecoder
from models.device import Device
from models.lane_pipeline import lane_pipeline
from models.previews.latent_colours import fit_colours
from models.previews.tiny_autoencoder import load_tiny

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

log = structlog.get_logger()


def learn_decoder(
    card: ModelCard, base: "DiffusionPipeline", engine: Engine, device: Device, weights_dir: Path | None
) -> PreviewDecoder | None:
    """None for a model whose latents say nothing to the eye: its jobs then have no previews."""
    try:
        return _tiny(card, device, weights_dir) or _linear(card, base, engine)
    except Exception as error:  # a worker without previews is better than none
        log.warning("preview.none", model=card.id, error=type(error).__name__, reason=str(error)[:200])
        return None


def _tiny(card: ModelCard, device: Device, weights_dir: Path | None) -> PreviewDecoder | None:
    # On a CPU it would take its cores from the batch.
    if card.tiny_vae is None or not device.name.startswith("cuda"):
        return None
    try:
        return load_tiny(card.tiny_vae, device=device.name, dtype=device.dtype_of(card), weights_dir=weights_dir)
    except WeightsMissing as error:
        log.info("preview.coarse", model=card.id, reason=error.message)
        return None


def _linear(card: ModelCard, base: "DiffusionPipeline", engine: Engine) -> PreviewDecoder:
    # As lanes have it: heavy networks run in the engine's thread.
    slot, pipeline = RunSlot(engine), lane_pipeline(base)
    share_networks(pipeline, slot)
    autoencoder: Any = getattr(pipeline, "vae", None)
    with slot.taken(Run(0, 0.0, time.monotonic())):
        return fit_colours(autoencoder, card.size.min)
