"""Draws the pool's requests one by one, with a stock pipeline on one thread: what every delivered image is held to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from darkroom.catalogue import read_catalogue
from darkroom.completion import complete
from darkroom.request import GenerateBody, ImageRequest
from darkroom.settings import Settings
from tests.chaos.pool import Body

Pixels = npt.NDArray[np.uint8]


def drawn_alone(bodies: Sequence[Body]) -> list[list[Pixels]]:
    """The images of each request, height x width x 3."""
    import torch

    from models.loading import load_pipeline

    settings = Settings()
    catalogue = read_catalogue(settings.catalogue)
    requests = [complete(GenerateBody.model_validate(body), catalogue, settings, lambda: 0) for body in bodies]
    torch.set_num_threads(1)
    card = catalogue[requests[0].model]
    base = load_pipeline(card, device="cpu", dtype=torch.float32)
    with torch.inference_mode():
        return [_images(request, card, base) for request in requests]


def _images(request: ImageRequest, card: Any, base: Any) -> list[Pixels]:
    import torch

    from models.call import call_arguments
    from models.lane_pipeline import choose_scheduler, lane_pipeline

    pipeline: Any = lane_pipeline(base)
    choose_scheduler(pipeline, base, request.scheduler)
    generators = [torch.Generator("cpu").manual_seed(request.seed_of(index)) for index in range(request.n)]
    output = pipeline(**call_arguments(card, request), generator=generators, output_type="pil")
    return [np.asarray(image.convert("RGB")) for image in output.images]
