"""Steps that are answered from memory, beside others that are computed."""

import inspect
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gpu_worker.engine.call import Entry
from gpu_worker.step_reuse.policy import FIRST, Level
from gpu_worker.step_reuse.run import StepReuse
from tests.gpu_worker.engine.batch_mates import Order, alone, difference, together
from tests.gpu_worker.engine.orders import PROMPTS, order
from tests.gpu_worker.engine.pictures import controlled, image_to_image, picture
from tests.gpu_worker.engine.test_parity import TOLERANCE
from tests.models.conftest import TinyCard, TinyPipeline
from tests.models.tiny.pipelines import FAMILIES, Family

# Networks with random weights change much from step to step: allowed all the same, that steps be reused at all.
ALL_IT_CAN = Level(tolerance=100.0, most_in_a_row=2)
NOTHING = Level(tolerance=1e-9, most_in_a_row=2)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_job_that_reuses_steps_draws_the_same_in_any_company(
    family: Family, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, card = tiny_pipeline(family), tiny_card(family)
    orders = [
        order(card, steps=7, seeds=(1,), reuse=ALL_IT_CAN),
        order(card, prompt=PROMPTS[1], steps=5, guidance_scale=1.0, seeds=(2,)),
        order(card, prompt=PROMPTS[2], steps=8, guidance_scale=5.0, seeds=(3, 4), reuse=ALL_IT_CAN),
        order(card, steps=9, seeds=(5,), canceled_at_call=8, reuse=ALL_IT_CAN),
    ]

    batch_mates = together(base, orders)

    by_themselves = [together(base, [each]).images[0] for each in orders[:3]]
    assert difference(batch_mates.images[:3], by_themselves) < TOLERANCE
    assert batch_mates.images[3] is None
    assert batch_mates.reused[:3] == [2, 0, 3]
    assert np.array_equal(by_themselves[1], alone(base, orders[1]))


@pytest.mark.parametrize("scheduler", ["heun", "pndm", "dpmpp_2m_sde", "unipc", "euler_ancestral"])
def test_every_kind_of_solver_can_reuse_steps_in_company(
    scheduler: str, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, card = tiny_pipeline("sd"), tiny_card("sd")
    one = order(card, steps=7, seeds=(1,), scheduler=scheduler, reuse=ALL_IT_CAN)

    batch_mates = together(base, [one, order(card, steps=5, seeds=(2,))])

    assert batch_mates.reused[0] >= 2
    assert difference(batch_mates.images[:1], together(base, [one]).images) < TOLERANCE


@pytest.mark.parametrize("scheduler", ["heun", "pndm", "euler", "dpmpp_2m_sde"])
def test_a_job_that_finds_nothing_to_reuse_is_drawn_to_the_last_bit_as_without(
    scheduler: str, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, one = tiny_pipeline("sd"), order(tiny_card("sd"), steps=7, scheduler=scheduler, reuse=NOTHING)

    batch_mates = together(base, [one])

    assert batch_mates.reused == [0]
    assert np.array_equal(batch_mates.images[0], alone(base, one))


# Those of the tiny pipelines whose images reuse changes well beyond rounding.
@pytest.mark.parametrize(
    ("family", "scheduler", "which"), [("sd", "euler_ancestral", "last"), ("flux", "flow_euler", "first")]
)
def test_at_the_very_edge_between_reusing_a_step_and_computing_it_the_image_is_the_same(
    family: Family, scheduler: str, which: str, tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    base, one = tiny_pipeline(family), order(tiny_card(family), steps=9, scheduler=scheduler)

    def drawn(tolerance: float) -> tuple[int, Any]:
        batch_mates = together(base, [replace(one, reuse=Level(tolerance, most_in_a_row=2))])
        return batch_mates.reused[0], batch_mates.images[0]

    strict, lax = 1e-3, 1e3
    (least, computed), (most, _) = drawn(strict), drawn(lax)
    edge = least if which == "first" else most - 1
    while lax / strict > 1 + 1e-6:
        middle = (strict * lax) ** 0.5
        strict, lax = (strict, middle) if drawn(middle)[0] > edge else (middle, lax)

    (fewer, before), (more, behind) = drawn(strict), drawn(lax)
    assert fewer < more
    assert difference([before], [behind]) < TOLERANCE
    assert difference([computed], [behind]) > 100 * TOLERANCE, "reuse does change this image"


def test_a_job_that_starts_from_a_picture_reuses_steps_of_its_own_noise_levels(
    tiny_card: TinyCard, tiny_pipeline: TinyPipeline
) -> None:
    pipeline = image_to_image(tiny_pipeline("sd"), "sd")
    arguments = {"prompt": "x", "image": picture(1), "strength": 0.5, "num_inference_steps": 14}
    orders = [Order(arguments, reuse=ALL_IT_CAN), Order({**arguments, "image": picture(2)}, seeds=(1,))]

    batch_mates = together(pipeline, orders)

    assert batch_mates.reused[0] == 2
    assert difference(batch_mates.images[:1], together(pipeline, orders[:1]).images) < TOLERANCE


def test_a_control_network_is_asked_at_every_step(tiny_card: TinyCard, tiny_pipeline: TinyPipeline) -> None:
    pipeline = controlled(tiny_pipeline("sd"))
    arguments = {"prompt": "x", "image": picture(1), "num_inference_steps": 7}

    batch_mates = together(pipeline, [Order(arguments, reuse=ALL_IT_CAN)])

    assert batch_mates.reused == [2]
    assert len(batch_mates.rows_of["controlnet"]) == len(batch_mates.rows) + 2 == 7


def test_the_two_calls_of_a_guided_step_are_remembered_apart() -> None:
    reuse, sample = StepReuse(ALL_IT_CAN, flow_pipeline(steps=6)), torch.ones(1, 4, 2, 2)
    entry = Entry("Network", "forward", len, inspect.Signature([SAMPLE]))
    answers: list[tuple[float, float]] = []
    computed = 0

    def compute(answer: float) -> tuple[torch.Tensor]:
        nonlocal computed
        computed += 1
        return (torch.full_like(sample, answer),)

    for _ in range(6):
        pair = [reuse.answer(entry, (sample,), {}, partial(compute, answer)) for answer in (0.5, 0.25)]
        answers.append((float(pair[0][0].mean()), float(pair[1][0].mean())))
        reuse.step_done()

    assert reuse.reused == 6 - FIRST - 1
    assert computed == 2 * (6 - reuse.reused)
    assert all(first > second for first, second in answers)


def test_a_scheduler_that_nothing_is_known_of_gets_every_step_computed() -> None:
    unknown = SimpleNamespace(timesteps=torch.arange(6.0), config=SimpleNamespace(get=lambda _name: None))
    reuse = StepReuse(ALL_IT_CAN, SimpleNamespace(scheduler=unknown, num_timesteps=6))
    entry, sample = Entry("Network", "forward", len, inspect.Signature([SAMPLE])), torch.ones(1, 4, 2, 2)

    for _ in range(6):
        assert reuse.answer(entry, (sample,), {}, lambda: "computed") == "computed"
        reuse.step_done()

    assert reuse.reused == 0


SAMPLE = inspect.Parameter("sample", inspect.Parameter.POSITIONAL_OR_KEYWORD)


def flow_pipeline(steps: int) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler: Any = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(steps)
    return SimpleNamespace(scheduler=scheduler, num_timesteps=steps)
