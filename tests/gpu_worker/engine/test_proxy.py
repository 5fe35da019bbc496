"""What a pipeline sees in place of its networks."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.hooks.group_offloading import _is_group_offload_enabled
from diffusers.models.attention_processor import AttnProcessor

from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.proxy import NetworkShared, share_networks
from gpu_worker.engine.run_slot import RunSlot
from models.lane_pipeline import lane_pipeline
from models.loading import load_pipeline
from tests.gpu_worker.engine.batch_mates import alone, difference, together
from tests.gpu_worker.engine.orders import order
from tests.gpu_worker.engine.test_parity import TOLERANCE
from tests.models.conftest import TinyCard, TinyPipeline


@pytest.fixture
def lane(tiny_pipeline: TinyPipeline) -> Any:
    pipeline = lane_pipeline(tiny_pipeline("sd"))
    share_networks(pipeline, RunSlot(Engine(Knees(default_rows=8), "cpu")))
    return pipeline


def test_a_proxy_passes_for_the_network(lane: Any, tiny_pipeline: TinyPipeline) -> None:
    base = tiny_pipeline("sd")

    assert isinstance(lane.unet, type(base.unet))
    assert (lane.unet.config, lane.unet.dtype) == (base.unet.config, torch.float32)
    assert lane.device == torch.device("cpu")
    assert lane.unet.conv_in is base.unet.conv_in


def test_a_pipeline_finds_hooks_that_move_weights_behind_a_proxy(tiny_pipeline: TinyPipeline) -> None:
    base = copy.deepcopy(tiny_pipeline("sd"))
    base.unet.enable_group_offload(torch.device("cpu"), torch.device("cpu"), offload_type="leaf_level")
    pipeline: Any = lane_pipeline(base)

    share_networks(pipeline, RunSlot(Engine(Knees(default_rows=8), "cpu")))

    assert _is_group_offload_enabled(pipeline.unet)
    assert not _is_group_offload_enabled(pipeline.vae)


def test_the_base_pipeline_keeps_its_networks(lane: Any, tiny_pipeline: TinyPipeline) -> None:
    assert lane.unet is not tiny_pipeline("sd").unet
    assert type(tiny_pipeline("sd").unet).__name__ == "UNet2DConditionModel"
    assert lane.config["unet"] == ("diffusers", "UNet2DConditionModel")


@pytest.mark.parametrize("call", [lambda lane: lane.unet(torch.zeros(1)), lambda lane: lane.vae.decode(torch.zeros(1))])
def test_outside_of_a_run_no_network_can_be_called(lane: Any, call: Any) -> None:
    with pytest.raises(RuntimeError, match="outside of a lane's run"):
        call(lane)


CHANGES: dict[str, Callable[[Any], object]] = {
    "a cast": lambda unet: unet.to(torch.float16),
    "a move": lambda unet: unet.to("meta"),
    "half precision": lambda unet: unet.half(),
    "attention processors": lambda unet: unet.set_attn_processor(AttnProcessor()),
    "the default ones": lambda unet: unet.set_default_attn_processor(),
    "fused products": lambda unet: unet.fuse_qkv_projections(),
    "a LoRA": lambda unet: unet.load_lora_adapter({}),
    "another LoRA's weight": lambda unet: unet.set_adapters(["style"], [0.5]),
    "a module": lambda unet: unet.add_module("extra", torch.nn.Identity()),
    "an attribute": lambda unet: setattr(unet, "encoder_hid_proj", None),
    "an attribute less": lambda unet: delattr(unet, "conv_in"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_lane_cannot_change_what_all_lanes_share(
    lane: Any, tiny_pipeline: TinyPipeline, change: Callable[[Any], object]
) -> None:
    unet = tiny_pipeline("sd").unet
    before = {name: id(module) for name, module in unet.named_modules()}

    with pytest.raises(NetworkShared):
        change(lane.unet)

    assert {name: id(module) for name, module in unet.named_modules()} == before
    assert unet.dtype == torch.float32


def test_a_lane_may_ask_for_what_is_so_already(lane: Any) -> None:
    assert lane.unet.to("cpu", torch.float32) is lane.unet
    assert lane.unet.to(device="cpu") is lane.unet


# diffusers' own SDXL pipeline calls what diffusers deprecates.
@pytest.mark.filterwarnings("ignore:`upcast_vae` is deprecated:FutureWarning")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_an_autoencoder_that_sdxl_casts_around_each_use_stays_upcast(tiny_card: TinyCard, dtype: torch.dtype) -> None:
    card = tiny_card("sdxl")
    base: Any = load_pipeline(card, device="cpu", dtype=dtype)
    orders = [order(card, steps=2 + number, seeds=(number,)) for number in range(3)]
    expected = [alone(base, each) for each in orders]

    batch_mates = together(base, orders)

    assert max(batch_mates.rows) == 6
    assert (base.unet.dtype, base.vae.dtype) == (dtype, torch.float32)
    # Measured: 7e-7; and 8e-3 in bfloat16, in which the plain pipeline decodes and we do not.
    assert difference(batch_mates.images, expected) < {torch.float16: TOLERANCE, torch.bfloat16: 2e-2}[dtype]
