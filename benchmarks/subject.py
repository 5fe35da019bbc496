"""The model that a run draws with: the bundled one, or one of real size with random weights."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.assignment import Assignment
from benchmarks.random_models import RANDOM_MODELS, build
from darkroom.catalogue import ModelCard, read_catalogue
from darkroom.settings import BUNDLED_CATALOGUE
from models.device import choose_device
from models.weights import find_weights


@dataclass(frozen=True)
class Subject:
    """`side` is the images' width and height, pixels."""

    card: ModelCard
    catalogue: Path
    side: int
    device: str
    dtype: str

    def assignment(self, batch: int = 1, window: int = 1) -> Assignment:
        return Assignment(
            folder=str(find_weights(self.card, None)),
            device=self.device,
            dtype=self.dtype,
            side=self.side,
            guidance_scale=self.card.guidance_scale.default,
            batch=batch,
            window=window,
        )


def choose_subject(model: str, side: int | None, folder: Path) -> Subject:
    """Random weights are built once, into `folder`. Raises Misconfigured for a device that isn't there."""
    device = choose_device("cuda" if model in RANDOM_MODELS else "auto")
    catalogue = build(model, folder) if model in RANDOM_MODELS else BUNDLED_CATALOGUE
    card = read_catalogue(catalogue)[model]
    return Subject(
        card, catalogue, side or card.size.width, device.name, str(device.dtype_of(card)).removeprefix("torch.")
    )
