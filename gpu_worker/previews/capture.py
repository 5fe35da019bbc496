"""How previews come about: a warm-up finds how a model's latents look, and a lane keeps copies of its own at steps.

Others draw them, in their own time.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import structlog
import torch

from darkroom.catalogue import ModelCard
from darkroom.errors import WeightsMissing
from darkroom.request import ImageRequest
from gpu_worker.engine.call import Run
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.proxy import share_networks
from gpu_worker.engine.run_slot import RunSlot, StepDone
from gpu_worker.previews.writer import Draw
from models.device import Device
from models.lane_pipeline import lane_pipeline
from models.previews.clean_estimate import clean_estimate
from models.previews.latent_colours import fit_colours
from models.previews.tiny_autoencoder import load_tiny
from models.transfer import snapshot

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from PIL.Image import Image

log = structlog.get_logger()


class Watch(Protocol):
    """Who wants to see how a job's images stand."""

    @property
    def job_id(self) -> str: ...
    def preview(self, step: int, steps: int, draw: Draw) -> None: ...


class PreviewDecoder(Protocol):
    def pictures(self, latents: torch.Tensor, aspect: float) -> "list[Image]":
        """A small picture for each row; `aspect` is width over height. Called in a thread that holds up nobody."""


@contextmanager
def capturing(decoder: PreviewDecoder | None, pipeline: Any, request: ImageRequest, watch: Watch) -> Iterator[StepDone]:
    """For one run of a pipeline. What it yields is to be called at each step's end."""
    if decoder is None or not request.preview_every:
        yield lambda _step, _steps, _tensors: None
        return
    aspect = request.width / request.height
    with clean_estimate(pipeline.scheduler) as estimate:

        def step_done(step: int, steps: int, tensors: Mapping[str, Any]) -> None:
            # After the last step the image itself is all but there.
            if step % request.preview_every or step >= steps:
                return
            try:
                latents = estimate.latents()
                # Noise and all, where there is nothing better.
                standing = snapshot(tensors["latents"] if latents is None else latents)
                watch.preview(step, steps, lambda: decoder.pictures(standing.wait(), aspect))
            except Exception as error:  # an image is not lost for want of its preview
                log.warning("preview.lost", job_id=watch.job_id, step=step, error=type(error).__name__)

        yield step_done


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
