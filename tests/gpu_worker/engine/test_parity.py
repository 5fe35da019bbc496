"""An image must not depend on the jobs that share its forwards."""

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pytest
import structlog

from darkroom.catalogue import SchedulerName
from gpu_worker.engine.knees import Knees
from tests.gpu_worker.engine.batch_mates import BatchMates, Order, alone, difference, together
from tests.gpu_worker.engine.orders import PROMPTS, mixed_orders, order
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny.pipelines import FAMILIES, Family

# On [0, 1]. Measured over all families: 2.4e-6 at most. A wrong seed, prompt or place moves pixels by 0.3 and more.
TOLERANCE = 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mixed_batch_draws_what_each_job_draws_alone(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, orders = tiny_pipeline(family), mixed_orders(tiny_card(family), family)

    with structlog.testing.capture_logs() as logs:
        batch_mates = together(base, orders)

    assert batch_mates.images[3] is None
    assert _difference_to_alone(batch_mates, base, orders) < TOLERANCE
    assert max(batch_mates.rows) >= 5, "more than any lane brings by itself"
    assert max(batch_mates.rows_of["text_encoder"]) >= 2, "prompts are encoded together too"
    assert not logs, "nothing had to run alone"


@pytest.mark.parametrize("family", FAMILIES)
def test_forwards_that_run_at_once_keep_out_of_each_other_s_way(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, orders = tiny_pipeline(family), mixed_orders(tiny_card(family), family)

    with structlog.testing.capture_logs() as logs:
        batch_mates = together(base, orders, forwards_at_once=3)

    assert _difference_to_alone(batch_mates, base, orders) < TOLERANCE
    assert [log["event"] for log in logs] == ["engine.cores_divided"], str(logs)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_job_alone_in_the_engine_is_equal_to_the_last_bit(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, job = tiny_pipeline(family), order(tiny_card(family), seeds=(1, 2))

    batch_mates = together(base, [job])

    assert np.array_equal(batch_mates.images[0], alone(base, job))


@pytest.mark.parametrize("family", FAMILIES)
def test_portrait_and_landscape_of_as_many_tokens_are_not_mistaken_for_each_other(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, card = tiny_pipeline(family), tiny_card(family)
    sizes = [(32, 64), (64, 32), (32, 64), (64, 32)]
    orders = [order(card, size=size, seeds=(number,)) for number, size in enumerate(sizes)]

    batch_mates = together(base, orders)

    assert difference(batch_mates.images, [alone(base, each) for each in orders]) < TOLERANCE
    assert max(batch_mates.rows) == 2 * _rows_alone(base, orders[0]), "those of one size still share"


def test_every_scheduler_draws_the_same_beside_every_other(tiny_card: TinyCard, tiny_pipeline: TinyPipeline) -> None:
    base, card = tiny_pipeline("sd"), tiny_card("sd")
    names = [name for name in get_args(SchedulerName) if not name.startswith("flow_")]
    orders = [order(card, steps=3 + number % 3, seeds=(number,), scheduler=name) for number, name in enumerate(names)]

    batch_mates = together(base, orders)

    assert difference(batch_mates.images, [alone(base, each) for each in orders]) < TOLERANCE
    assert max(batch_mates.rows) == 2 * len(names), "one forward for all, whole timesteps or not"


@pytest.mark.parametrize("family", ["qwen_image", "z_image"])
def test_prompts_of_different_lengths_share_a_forward(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, card = tiny_pipeline(family), tiny_card(family)
    orders = [order(card, prompt=prompt, guidance_scale=0.0, seeds=(7,)) for prompt in PROMPTS]

    batch_mates = together(base, orders)

    assert difference(batch_mates.images, [alone(base, each) for each in orders]) < TOLERANCE
    assert max(batch_mates.rows) == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_jobs_that_end_together_are_decoded_together(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, card = tiny_pipeline(family), tiny_card(family)
    orders = [order(card, steps=2, seeds=(number,)) for number in range(3)]

    batch_mates = together(base, orders)

    assert difference(batch_mates.images, [alone(base, each) for each in orders]) < TOLERANCE
    assert batch_mates.rows_of["decoder"] == [3]


@pytest.mark.parametrize("family", ["sd", "flux2", "qwen_image", "z_image"])
def test_padding_to_a_compiled_batch_size_changes_no_image(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, card = tiny_pipeline(family), tiny_card(family)
    orders = [order(card, prompt=prompt, guidance_scale=0.0, seeds=(7,)) for prompt in PROMPTS]

    batch_mates = together(base, orders, Knees(default_rows=8, sizes=(8,)))

    assert difference(batch_mates.images, [alone(base, each) for each in orders]) < TOLERANCE
    assert max(batch_mates.rows) == 8


def test_jobs_beyond_the_knee_take_turns_and_draw_the_same(tiny_card: TinyCard, tiny_pipeline: TinyPipeline) -> None:
    base, card = tiny_pipeline("sd"), tiny_card("sd")
    orders = [order(card, steps=2 + number, seeds=(number,)) for number in range(4)]

    batch_mates = together(base, orders, Knees(default_rows=4))

    assert difference(batch_mates.images, [alone(base, each) for each in orders]) < TOLERANCE
    assert max(batch_mates.rows) == 4


def _rows_alone(base: object, one: Order) -> int:
    return max(together(base, [one]).rows)


def _difference_to_alone(batch_mates: BatchMates, base: Any, orders: Sequence[Order]) -> float:
    """Over all orders that were not canceled."""
    kept = [number for number, each in enumerate(orders) if each.canceled_at_call is None]
    return difference([batch_mates.images[number] for number in kept], [alone(base, orders[number]) for number in kept])
