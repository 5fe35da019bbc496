"""What the campaign draws with: random weights of real size on a card, tiny ones of the same family in a rehearsal."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.random_models import RANDOM_MODELS, build
from benchmarks.side import REPOSITORY
from darkroom.catalogue import ModelCard, Tuning, read_catalogue
from darkroom.request import ImageRequest
from gpu_worker.engine.call import Call
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.memory.device import Memory
from gpu_worker.profiling.loading import Nobody
from gpu_worker.profiling.warm_up import warm_up_requests
from models.device import Device, choose_device
from models.loading import load_pipeline
from tests.models.tiny.pipelines import FAMILIES, save

BUILT_MODELS = REPOSITORY / "build" / "models"
MODELS = (*RANDOM_MODELS, *(f"tiny-{family}" for family in FAMILIES))


def card_of(model: str, side: int, tuning: Tuning, folder: Path) -> ModelCard:
    """`tiny-FAMILY` or one of the random models. `folder` is for tiny ones; the others take minutes to build."""
    if model in RANDOM_MODELS:
        card = read_catalogue(build(model, BUILT_MODELS))[model]
    else:
        card = save(next(family for family in FAMILIES if model == f"tiny-{family}"), folder / model)
    size = card.size.model_copy(update={"width": side, "height": side})
    return card.model_copy(update={"cuda": tuning, "size": size})


@dataclass(frozen=True)
class Loaded:
    """A model's pipeline, and an engine to run its networks in."""

    card: ModelCard
    device: Device
    pipeline: Any
    engine: Engine

    @property
    def request(self) -> ImageRequest:
        """One image of the card's size, in few steps."""
        return warm_up_requests(self.card)[0].model_copy(update={"steps": max(2, self.card.steps.min)})

    def tapped(self) -> list[Call]:
        """The calls of one job."""
        lane = PipelineLane(self.card, self.pipeline, self.engine)
        with self.engine.tapped() as calls:
            lane.run(self.request, Nobody())
        return calls


@contextlib.contextmanager
def loaded(card: ModelCard, device: str, memory: Memory | None = None) -> Iterator[Loaded]:
    chosen = choose_device(device)
    pipeline = load_pipeline(card, device=chosen.name, dtype=chosen.dtype_of(card))
    engine = Engine(Knees(default_rows=64), chosen.name, memory=memory)
    engine.start()
    try:
        yield Loaded(card, chosen, pipeline, engine)
    finally:
        engine.stop()
