"""What denoisers' answers say of the clean sample, against samples whose noise is known."""

from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch

from darkroom.catalogue import SchedulerName
from models.previews.clean_rule import clean_rules
from models.schedulers import make_scheduler

DIFFUSION: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
NAMES: tuple[SchedulerName, ...] = get_args(SchedulerName)
DIFFUSING = [name for name in NAMES if not name.startswith("flow")]
FLOWING = [name for name in NAMES if name.startswith("flow")]
CLEAN, NOISE = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0)).unbind()


def scheduler_of(name: SchedulerName, **config: object) -> Any:
    scheduler: Any = make_scheduler(name, ({} if name.startswith("flow") else DIFFUSION) | config)
    scheduler.set_timesteps(8)
    return scheduler


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", DIFFUSING)
def test_a_perfect_answer_to_a_diffused_sample_says_the_clean_one(name: SchedulerName, kind: str) -> None:
    scheduler = scheduler_of(name, prediction_type=kind)
    timesteps = [float(round(timestep)) for timestep in scheduler.timesteps.tolist()]

    for timestep, rule in zip(timesteps, clean_rules(scheduler, timesteps, "UNet") or (), strict=True):
        kept = float(scheduler.alphas_cumprod[int(timestep)])
        alpha, sigma = kept**0.5, (1 - kept) ** 0.5
        sample = alpha * CLEAN + sigma * NOISE
        answer = {"epsilon": NOISE, "v_prediction": alpha * NOISE - sigma * CLEAN, "sample": CLEAN}[kind]

        assert torch.allclose(rule.clean(sample, answer), CLEAN, atol=1e-4)
        assert torch.allclose(rule.answer(sample, CLEAN), answer, atol=1e-3)
        assert rule.noise == pytest.approx(sigma, abs=1e-3)


@pytest.mark.parametrize("name", FLOWING)
@pytest.mark.parametrize(("network", "sign"), [("FluxTransformer2DModel", 1), ("ZImageTransformer2DModel", -1)])
def test_a_perfect_answer_on_the_way_of_a_flow_says_the_clean_one(name: SchedulerName, network: str, sign: int) -> None:
    scheduler = scheduler_of(name)
    timesteps = scheduler.timesteps.tolist()

    for timestep, rule in zip(timesteps, clean_rules(scheduler, timesteps, network) or (), strict=True):
        sample = (1 - timestep / 1000) * CLEAN + timestep / 1000 * NOISE

        assert torch.allclose(rule.clean(sample, sign * (NOISE - CLEAN)), CLEAN, atol=1e-4)
        assert torch.allclose(rule.answer(sample, CLEAN), sign * (NOISE - CLEAN), atol=1e-2)


def test_between_two_timesteps_of_the_training_noise_is_in_between_too() -> None:
    scheduler = scheduler_of("euler", prediction_type="epsilon")

    noise = [rule.noise for rule in clean_rules(scheduler, [500, 500.5, 501], "UNet") or ()]

    assert noise == sorted(noise)
    assert len(set(noise)) == 3


def test_half_precision_answers_are_reckoned_in_float32() -> None:
    rules = clean_rules(scheduler_of("euler", prediction_type="epsilon"), [999.0], "UNet")

    assert rules
    assert rules[0].clean(CLEAN.half(), NOISE.half()).dtype == torch.float32


def test_nothing_is_said_of_a_scheduler_that_is_not_known() -> None:
    assert clean_rules(SimpleNamespace(config={"prediction_type": "epsilon"}), [1.0], "UNet") is None
    assert clean_rules(scheduler_of("euler", prediction_type="epsilon"), [1.0], "UNet") is not None
