from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.random_models import RANDOM_MODELS, card_text
from darkroom.catalogue import read_catalogue


def _billions(network: Any) -> float:
    count: int = sum(parameter.numel() for parameter in network.parameters())
    return count / 1e9


@pytest.mark.parametrize(
    ("model", "part", "billions"),
    [
        ("sdxl-random", "unet", 2.57),
        ("sdxl-random", "text_encoder_2", 0.69),
        ("flux-random", "transformer", 11.9),
        ("flux-random", "text_encoder_2", 4.76),
    ],
)
def test_random_models_are_of_real_size(model: str, part: str, billions: float) -> None:
    with torch.device("meta"):  # sizes alone, no memory
        pipeline = RANDOM_MODELS[model]()

    assert _billions(getattr(pipeline, part)) == pytest.approx(billions, rel=0.01)


@pytest.mark.parametrize("model", RANDOM_MODELS)
def test_a_random_model_has_a_card_that_a_worker_reads(model: str, tmp_path: Path) -> None:
    (tmp_path / "catalogue.toml").write_text(card_text(model), encoding="utf-8")

    card = read_catalogue(tmp_path / "catalogue.toml")[model]

    assert card.path == tmp_path / model
    assert 4 in range(card.steps.min, card.steps.max)
