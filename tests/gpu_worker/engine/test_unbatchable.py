"""Pipelines whose networks keep something from call to call take turns, say so once, and draw what they draw alone."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import structlog
import torch

from gpu_worker.engine.unbatchable import clash
from models.loading import load_pipeline
from tests.gpu_worker.engine.batch_mates import Canceled, Order, alone, difference, together
from tests.gpu_worker.engine.orders import PROMPTS, order
from tests.gpu_worker.engine.test_parity import TOLERANCE
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny.pipelines import SIDE


@pytest.fixture
def flux(tiny_card: TinyCard) -> Any:
    """One of its own, as hooks stay."""
    return load_pipeline(tiny_card("flux"), device="cpu", dtype=torch.float32)


def test_a_step_cache_makes_runs_take_turns(flux: Any, tiny_card: TinyCard) -> None:
    from diffusers import FirstBlockCacheConfig

    orders = [order(tiny_card("flux"), steps=5 + number, seeds=(number,)) for number in range(3)]
    plain = alone(flux, orders[0])
    flux.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.5))

    with structlog.testing.capture_logs() as logs:
        batch_mates = together(flux, orders)

    assert not np.array_equal(batch_mates.images[0], plain), "the cache skipped something"
    for image, each in zip(batch_mates.images, orders, strict=True):
        assert np.array_equal(image, alone(flux, each))
    assert set(batch_mates.rows) == {1}
    assert [(entry["event"], entry["pipeline"]) for entry in logs] == [("pipeline.not_batchable", "FluxPipeline")]
    assert "FBCHeadBlockHook" in logs[0]["reason"]


def test_a_run_that_broke_off_leaves_nothing_in_the_cache_for_the_next(flux: Any, tiny_card: TinyCard) -> None:
    from diffusers import FirstBlockCacheConfig

    def cancel(*_: object) -> dict[str, Any]:
        raise Canceled

    card = tiny_card("flux")
    # So high that every step but a run's first is skipped, and what a stale cache holds would be drawn.
    flux.transformer.enable_cache(FirstBlockCacheConfig(threshold=1000))
    kept, broken_off = order(card, steps=5), order(card, steps=5, seeds=(8,))
    broken_off = replace(broken_off, arguments={**broken_off.arguments, "callback_on_step_end": cancel})
    expected = alone(flux, kept)

    assert together(flux, [broken_off]).images == [None]
    assert np.array_equal(together(flux, [kept]).images[0], expected)


@pytest.mark.parametrize("offload_type", ["leaf_level", "block_level"])
def test_group_offload_only_moves_weights_and_batches(flux: Any, tiny_card: TinyCard, offload_type: str) -> None:
    orders = [order(tiny_card("flux"), seeds=(number,)) for number in range(3)]
    expected = [alone(flux, each) for each in orders]
    cpu = torch.device("cpu")
    flux.transformer.enable_group_offload(cpu, cpu, offload_type=offload_type, num_blocks_per_group=1)

    batch_mates = together(flux, orders)

    assert max(batch_mates.rows) == 3
    assert difference(batch_mates.images, expected) < TOLERANCE


def test_a_pipeline_that_sets_attention_processors_in_its_runs_takes_turns(tiny_pipeline: TinyPipeline) -> None:
    from diffusers import StableDiffusionPAGPipeline

    parts = {**copy.deepcopy(tiny_pipeline("sd")).components, "image_encoder": None}
    base: Any = StableDiffusionPAGPipeline(**parts, requires_safety_checker=False, pag_applied_layers="mid")
    base.set_progress_bar_config(disable=True)
    arguments = {"width": SIDE, "height": SIDE, "num_inference_steps": 3, "pag_scale": 3.0}
    orders = [Order({"prompt": prompt, **arguments}, seeds=(number,)) for number, prompt in enumerate(PROMPTS)]
    expected = [alone(base, each) for each in orders]

    with structlog.testing.capture_logs() as logs:
        batch_mates = together(base, orders)

    assert all(np.array_equal(*pair) for pair in zip(batch_mates.images, expected, strict=True))
    assert [(log["event"], log["pipeline"]) for log in logs] == [
        ("pipeline.not_batchable", "StableDiffusionPAGPipeline")
    ]


@pytest.mark.parametrize("name", ["LEditsPPPipelineStableDiffusion", "Flux2KleinKVPipeline", "AnimateDiffPAGPipeline"])
def test_the_others_that_change_their_networks_are_known_by_name(name: str, tiny_pipeline: TinyPipeline) -> None:
    import diffusers

    pipeline = copy.copy(tiny_pipeline("sd"))
    pipeline.__class__ = getattr(diffusers, name)

    assert clash(pipeline)
