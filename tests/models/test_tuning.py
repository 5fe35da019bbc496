"""What a card asks of CUDA. Most of it can be tried on the CPU; what is only faster on a GPU changes no image."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from darkroom.catalogue import Catalogue, Tuning
from darkroom.errors import Misconfigured
from models.call import call_arguments
from models.lane_pipeline import lane_pipeline
from models.loading import load_pipeline
from models.tuning import denoiser_of, tune, use_channels_last
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny.pipelines import FAMILIES, Family
from tests.models.wish import Wish

HOPPER, TURING = (9, 0), (7, 5)
FUSING: tuple[Family, ...] = ("sd", "sdxl", "sd3", "flux", "flux2")
# On [0, 1]: one product or three, in other memory formats, round otherwise.
ROUNDING = 1e-5


@pytest.mark.parametrize("family", FUSING)
def test_fused_projections_change_no_image(family: Family, tiny_card: TinyCard) -> None:
    base = fresh(tiny_card, family)
    before = draw(base, tiny_card, family)

    tune(base, Tuning(fuse_qkv=True), HOPPER)

    np.testing.assert_allclose(draw(base, tiny_card, family), before, atol=ROUNDING)


@pytest.mark.parametrize("family", FUSING)
def test_fusing_takes_no_memory_and_lanes_share_what_is_fused(family: Family, tiny_card: TinyCard) -> None:
    base = fresh(tiny_card, family)
    before = held_bytes(denoiser_of(base))

    tune(base, Tuning(fuse_qkv=True), HOPPER)

    assert held_bytes(denoiser_of(base)) == before
    assert addresses(lane_pipeline(base)) == addresses(base)


@pytest.mark.parametrize("family", FAMILIES)
def test_channels_last_changes_no_image(family: Family, tiny_card: TinyCard) -> None:
    base = fresh(tiny_card, family)
    before = draw(base, tiny_card, family)

    use_channels_last(base)

    np.testing.assert_allclose(draw(base, tiny_card, family), before, atol=ROUNDING)


def test_channels_are_innermost_in_unet_and_autoencoder(tiny_card: TinyCard) -> None:
    base = fresh(tiny_card, "sd")

    use_channels_last(base)

    for network in (base.unet, base.vae):
        assert all(
            part.weight.is_contiguous(memory_format=torch.channels_last)
            for part in network.modules()
            if isinstance(part, torch.nn.Conv2d)
        )


@pytest.mark.parametrize("family", ["sd", "flux"])
def test_weights_kept_in_float8_take_less_and_draw_nearly_the_same(family: Family, tiny_card: TinyCard) -> None:
    base = fresh(tiny_card, family)
    before, held = draw(base, tiny_card, family), held_bytes(denoiser_of(base))

    tune(base, Tuning(quantization="float8_storage"), TURING)

    assert held_bytes(denoiser_of(base)) < held / 2
    assert denoiser_of(base).dtype is torch.float32, "what lanes prepare its arguments in"
    assert np.abs(draw(base, tiny_card, family) - before).mean() < 0.1


def test_float8_products_need_a_gpu_that_has_them(tiny_card: TinyCard) -> None:
    with pytest.raises(Misconfigured, match=r"8\.9; this one has 7\.5"):
        tune(fresh(tiny_card, "flux"), Tuning(quantization="float8"), TURING)


@pytest.mark.skipif(find_spec("torchao") is not None, reason="torchao is installed")
@pytest.mark.parametrize("how", ["float8", "int8"])
def test_a_package_that_is_missing_is_named(how: Any, tiny_card: TinyCard) -> None:
    with pytest.raises(Misconfigured, match="pip install torchao"):
        tune(fresh(tiny_card, "flux"), Tuning(quantization=how), HOPPER)


def test_a_kernel_of_attention_can_be_chosen(tiny_card: TinyCard) -> None:
    base = fresh(tiny_card, "flux")
    before = draw(base, tiny_card, "flux")

    tune(base, Tuning(attention="_native_math"), HOPPER)
    after = draw(base, tiny_card, "flux")
    tune(base, Tuning(attention="native"), HOPPER)  # diffusers remembers it for the whole process

    np.testing.assert_allclose(after, before, atol=ROUNDING)


@pytest.mark.skipif(find_spec("flash_attn") is not None, reason="flash-attn is installed")
def test_a_kernel_that_is_not_installed_is_refused(tiny_card: TinyCard) -> None:
    with pytest.raises(Misconfigured, match="attention = 'flash' cannot be had here"):
        tune(fresh(tiny_card, "flux"), Tuning(attention="flash"), HOPPER)


@pytest.mark.parametrize(
    ("family", "wish", "complaint"),
    [
        ("sd", Tuning(attention="native"), "UNet2DConditionModel knows torch's own attention only"),
        ("z_image", Tuning(fuse_qkv=True), "no projections to fuse"),
    ],
)
def test_what_a_network_cannot_do_is_refused(
    family: Family, wish: Tuning, complaint: str, tiny_pipeline: TinyPipeline
) -> None:
    with pytest.raises(Misconfigured, match=complaint):
        tune(tiny_pipeline(family), wish, HOPPER)


@pytest.mark.parametrize(
    "fields",
    [
        {"quantization": "int8", "fuse_qkv": True},
        {"quantization": "float8_storage", "compile": True},
        {"attention": "flash_hub"},  # would fetch code and run it
    ],
)
def test_wishes_that_exclude_each_other_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Tuning(**fields)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_bundled_catalogue_asks_each_family_for_what_it_can_do(
    family: Family, tiny_card: TinyCard, catalogue: Catalogue
) -> None:
    for card in catalogue.values():
        if card.pipeline == tiny_card(family).pipeline:
            tune(fresh(tiny_card, family), card.cuda, HOPPER)


def fresh(tiny_card: TinyCard, family: Family) -> Any:
    """Not the one that other tests use."""
    return load_pipeline(tiny_card(family), device="cpu", dtype=torch.float32)


def draw(base: Any, tiny_card: TinyCard, family: Family) -> Any:
    arguments = call_arguments(tiny_card(family), Wish())
    return base(**arguments, generator=[torch.Generator().manual_seed(1)], output_type="np").images


def held_bytes(network: Any) -> int:
    storages = [parameter.untyped_storage() for parameter in network.parameters()]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def addresses(pipeline: Any) -> dict[str, int]:
    return {name: weight.data_ptr() for name, weight in denoiser_of(pipeline).named_parameters()}
