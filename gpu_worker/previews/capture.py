"""A lane's part in previews: at a step, it keeps a copy of how the image stands, and lets others draw it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import structlog
import torch

from darkroom.request import ImageRequest
from gpu_worker.previews.writer import Draw
from models.previews.clean_estimate import clean_estimate
from models.transfer import snapshot

if TYPE_CHECKING:
    from PIL.Image import Image

log = structlog.get_logger()

StepDone = Callable[[int, int, Mapping[str, Any]], None]
"""Is told step, steps, and the tensors that pipelines show at a step's end."""


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
