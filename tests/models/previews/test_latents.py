"""Latents against the pipelines themselves: what they hand to their autoencoder in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from models.call import call_arguments
from models.lane_pipeline import lane_pipeline
from models.previews.latents import as_grid, encoded, scaled
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny.pipelines import FAMILIES, Family
from tests.models.wish import Wish


@contextmanager
def decoded_by(autoencoder: Any) -> Iterator[list[torch.Tensor]]:
    """What it is given to decode meanwhile."""
    given: list[torch.Tensor] = []
    into = getattr(autoencoder, "post_quant_conv", None) or autoencoder.decoder
    hook = into.register_forward_pre_hook(lambda _network, inputs: given.append(inputs[0].clone()))
    try:
        yield given
    finally:
        hook.remove()


@contextmanager
def telling_statistics(autoencoder: Any) -> Iterator[None]:
    """FLUX.2's autoencoder counts with means and variances, which without training are all 0 and 1."""
    statistics = getattr(autoencoder, "bn", None)
    if statistics is None:
        yield
        return
    draw = torch.Generator().manual_seed(0)
    statistics.running_mean += torch.randn(statistics.running_mean.shape, generator=draw)
    statistics.running_var *= 1 + torch.rand(statistics.running_var.shape, generator=draw)
    try:
        yield
    finally:
        statistics.reset_running_stats()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_grid_holds_just_what_the_pipeline_decodes_in_the_end(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    card = tiny_card(family)
    pipeline: Any = lane_pipeline(tiny_pipeline(family))
    last: list[torch.Tensor] = []

    def keep(_pipeline: Any, _index: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        last[:] = [tensors["latents"].clone()]
        return tensors

    wish = Wish(width=64, height=32, steps=2, n=2)
    with telling_statistics(pipeline.vae), decoded_by(pipeline.vae) as decoded, torch.no_grad():
        pipeline(**call_arguments(card, wish), generator=torch.Generator().manual_seed(0), callback_on_step_end=keep)
        [raw] = decoded
        expected = scaled(pipeline.vae, raw.squeeze(2) if raw.ndim == 5 else raw)

    grid = as_grid(last[0], expected.shape[1], aspect=2.0)
    assert grid.shape == expected.shape
    assert torch.allclose(grid, expected, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_becomes_a_grid_of_finite_latents(family: Family, tiny_pipeline: TinyPipeline) -> None:
    autoencoder = tiny_pipeline(family).vae

    with torch.no_grad():
        grid = encoded(autoencoder, torch.zeros(1, 3, 32, 32))

    assert grid.ndim == 4
    assert grid.shape[0] == 1
    assert torch.isfinite(grid).all()


@pytest.mark.parametrize(
    ("shape", "aspect"),
    [((1, 5, 8, 8), 1.0), ((1, 7, 16), 1.0), ((1, 4, 12), 1.0), ((4, 8, 8), 1.0), ((16,), 1.0), ((1, 4, 16), 1e9)],
)
def test_what_is_no_grid_is_refused(shape: tuple[int, ...], aspect: float) -> None:
    with pytest.raises(ValueError, match="grid"):
        as_grid(torch.zeros(shape), channels=4, aspect=aspect)
