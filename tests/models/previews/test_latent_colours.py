from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from darkroom.catalogue import Catalogue
from models.previews.latent_colours import LatentColours, fit_colours
from models.previews.latents import encoded, scaled
from tests.models.conftest import TinyPipeline
from tests.models.tiny.pipelines import FAMILIES, Family


class LinearAutoencoder:
    """Its latents are shrunk colours, mixed; and one channel that says nothing."""

    config: dict[str, Any] = {"scaling_factor": 0.5, "shift_factor": 0.25}  # noqa: RUF012
    device, dtype = torch.device("cpu"), torch.float32
    encoder = torch.nn.Conv2d(3, 4, 1)
    mix = torch.tensor([[1.0, 0.5, 0.0], [0.0, -2.0, 0.3], [0.4, 0.0, 1.5], [0.0, 0.0, 0.0]])

    def encode(self, pictures: torch.Tensor) -> SimpleNamespace:
        small = torch.nn.functional.avg_pool2d(pictures, 8)
        return SimpleNamespace(latents=torch.einsum("nchw,dc->ndhw", small, self.mix))


def test_a_linear_autoencoder_is_seen_through_exactly() -> None:
    autoencoder = LinearAutoencoder()
    picture = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))

    [seen] = fit_colours(autoencoder, side=64).pictures(encoded(autoencoder, 2 * picture - 1), aspect=1.5)

    expected = torch.nn.functional.avg_pool2d(picture, 8)[0].permute(1, 2, 0).numpy()
    assert seen.size == (6, 4)
    assert np.abs(np.asarray(seen) / 255 - expected).max() < 0.01


@pytest.mark.parametrize("shape", ["discs", "stripes", "ramp"])
def test_the_bundled_model_s_latents_show_the_colours_that_it_decodes(
    shape: str, minilab: Any, catalogue: Catalogue
) -> None:
    colours = fit_colours(minilab.vae, catalogue["minilab"].size.min)
    with torch.no_grad():
        latents = encoded(minilab.vae, 2 * _picture(shape) - 1)
        [raw] = minilab.vae.encode(2 * _picture(shape) - 1).latent_dist.mode().split(1)
        assert torch.equal(scaled(minilab.vae, raw), latents)
        decoded = minilab.vae.decode(raw).sample / 2 + 0.5

    [seen] = colours.pictures(latents, aspect=1.0)

    small = torch.nn.functional.interpolate(decoded, latents.shape[-2:], mode="area")[0].permute(1, 2, 0).numpy()
    assert np.corrcoef(np.asarray(seen).ravel(), small.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_s_autoencoder_can_be_fitted(family: Family, tiny_pipeline: TinyPipeline) -> None:
    autoencoder = tiny_pipeline(family).vae

    colours = fit_colours(autoencoder, side=32)

    assert colours.weights.shape[1:] == colours.offset.shape == (3,)
    assert np.isfinite(colours.weights).all()


def test_a_fit_is_the_same_each_time(minilab: Any) -> None:
    first, second = (fit_colours(minilab.vae, 64) for _ in range(2))

    assert np.array_equal(first.weights, second.weights)


def test_latents_beyond_all_colours_are_still_a_picture() -> None:
    colours = LatentColours(np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32))
    latents = torch.tensor([-1e30, 0.5, float("nan"), 1e30]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)

    [seen] = colours.pictures(latents, aspect=1.0)

    assert np.asarray(seen)[..., 0].tolist() == [[0, 128], [0, 255]]


def test_there_is_a_picture_for_each_row() -> None:
    colours = LatentColours(np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32))

    pictures = colours.pictures(torch.stack([torch.zeros(3, 4, 8), torch.ones(3, 4, 8)]).bfloat16(), aspect=2.0)

    assert [picture.getpixel((0, 0)) for picture in pictures] == [(0, 0, 0), (255, 255, 255)]
    assert {picture.size for picture in pictures} == {(8, 4)}


def _picture(shape: str) -> torch.Tensor:
    """(1, 3, 128, 128), from 0 to 1."""
    across, down = np.meshgrid(np.linspace(0, 1, 128), np.linspace(0, 1, 128))
    colours = {
        "discs": np.where(
            ((across - 0.4) ** 2 + (down - 0.5) ** 2 < 0.08)[..., None], (0.85, 0.1, 0.1), (0.95, 0.95, 0.9)
        ),
        "stripes": np.where((across % 0.5 < 0.25)[..., None], (0.1, 0.3, 0.7), (0.95, 0.7, 0.1)),
        "ramp": np.stack([across, down, 1 - across], axis=-1),
    }[shape]
    levels = np.asarray(Image.fromarray((colours * 255).astype(np.uint8)))
    return torch.from_numpy(levels.copy()).permute(2, 0, 1)[None].float() / 255
