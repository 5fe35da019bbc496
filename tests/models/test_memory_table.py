"""What docs/models.md says that models take of a card is computed here again."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from darkroom.catalogue import Catalogue

CARDS_GB = (24, 48, 80)
OF_A_CARD = 0.95
FOR_IMAGES_GB = 3


class Row(NamedTuple):
    models: list[str]
    denoiser: float
    others: float
    weights_gb: float
    in_8_bits_gb: float
    verdicts: list[str]


def rows(repository: Path) -> list[Row]:
    page = (repository / "docs/models.md").read_text(encoding="utf-8")
    table = page.partition("| model | parameters: ")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return [
        Row(re.findall(r"`([^`]+)`", names), float(denoiser), float(others), float(weights), float(small), verdicts)
        for names, sizes, weights, small, *verdicts in cells
        for denoiser, _, others in [sizes.partition(" + ")]
    ]


def verdict(row: Row, card_gb: int) -> str:
    room_gb = OF_A_CARD * card_gb
    if row.weights_gb + FOR_IMAGES_GB <= room_gb:
        return "fits"
    return "in 8 bits" if row.weights_gb <= room_gb and row.in_8_bits_gb + FOR_IMAGES_GB <= room_gb else "no"


def test_every_model_that_has_to_be_fetched_is_in_the_table(repository: Path, catalogue: Catalogue) -> None:
    named = [model for row in rows(repository) for model in row.models]

    assert sorted(named) == sorted(set(catalogue) - {"minilab"})


def test_weights_are_parameters_times_bytes(repository: Path) -> None:
    for row in rows(repository):
        autoencoder_in_float32 = 2 * 0.084 if row.models == ["sdxl"] else 0
        assert row.weights_gb == pytest.approx(2 * (row.denoiser + row.others) + autoencoder_in_float32, abs=0.11), row
        assert row.in_8_bits_gb == pytest.approx(row.weights_gb - row.denoiser, abs=0.11), row


def test_what_fits_follows_from_the_weights(repository: Path) -> None:
    for row in rows(repository):
        assert row.verdicts == [verdict(row, card_gb) for card_gb in CARDS_GB], row


@pytest.mark.parametrize(
    ("model", "network"),
    [
        ("flux.1-dev", "FluxTransformer2DModel"),
        ("flux.2-dev", "Flux2Transformer2DModel"),
        ("qwen-image", "QwenImageTransformer2DModel"),
        ("z-image-turbo", "ZImageTransformer2DModel"),
    ],
)
def test_denoisers_have_as_many_parameters(repository: Path, model: str, network: str) -> None:
    """Those whose published sizes are the defaults of diffusers."""
    import diffusers
    import torch

    with torch.device("meta"):  # sizes alone, no memory
        built = getattr(diffusers, network)(**({"guidance_embeds": True} if model == "flux.1-dev" else {}))

    [row] = [row for row in rows(repository) if model in row.models]
    assert row.denoiser == pytest.approx(sum(each.numel() for each in built.parameters()) / 1e9, abs=0.006)
