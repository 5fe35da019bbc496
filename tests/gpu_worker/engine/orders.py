"""Jobs for tiny pipelines, told apart by all that may differ within a batch."""

from collections.abc import Sequence
from typing import Any

from darkroom.catalogue import ModelCard
from models.call import call_arguments
from tests.gpu_worker.engine.batch_mates import Order
from tests.models.tiny.pipelines import SIDE, Family
from tests.models.wish import Wish

# Of different token counts, which matters to the families that do not pad prompts to one length.
PROMPTS = ("a red circle", "a boat on the sea at sunset, calm water", "x")


def order(
    card: ModelCard,
    *,
    prompt: str = PROMPTS[0],
    steps: int = 3,
    guidance_scale: float = 3.0,
    size: tuple[int, int] = (SIDE, SIDE),
    seeds: Sequence[int] = (0,),
    **behaviour: Any,
) -> Order:
    wish = Wish(prompt=prompt, width=size[0], height=size[1], steps=steps, guidance_scale=guidance_scale, n=len(seeds))
    return Order(call_arguments(card, wish), seeds=tuple(seeds), **behaviour)


def mixed_orders(card: ModelCard, family: Family) -> list[Order]:
    """Step counts, guidance, seeds, prompts, schedulers, images at once; one joins late, one goes before its end."""
    one, other = _schedulers(family)
    return [
        order(card, steps=4, seeds=(1,), scheduler=one),
        order(card, prompt=PROMPTS[1], steps=6, guidance_scale=1.0, seeds=(2,), scheduler=other),
        order(card, prompt=PROMPTS[2], steps=5, guidance_scale=5.0, seeds=(3, 4), scheduler=one),
        order(card, steps=9, seeds=(5,), scheduler=other, canceled_at_call=7),
        order(card, prompt=PROMPTS[1], steps=3, seeds=(6,), scheduler=one, joins_at_forward=3),
    ]


def _schedulers(family: Family) -> tuple[str, str]:
    """One that keeps earlier steps or draws noise, and one that gives timesteps of another kind."""
    if family in {"sd", "sdxl"}:
        return "dpmpp_2m_sde", "euler"
    # The pipeline of Z-Image gives its scheduler a list, and UniPC wants an array.
    return ("flow_euler", "flow_euler") if family == "z_image" else ("flow_unipc", "flow_euler")
