"""Estimates of the clean latents, against schedulers that are told the truth about the noise."""

import inspect
from itertools import product
from typing import Any, get_args

import pytest
import torch

from darkroom.catalogue import SchedulerName
from models.previews.clean_estimate import clean_estimate
from models.schedulers import make_scheduler

DIFFUSION: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
NAMES: tuple[SchedulerName, ...] = get_args(SchedulerName)
DIFFUSING = [name for name in NAMES if not name.startswith("flow")]
FLOWING = [name for name in NAMES if name.startswith("flow")]
KINDS = ("epsilon", "v_prediction", "sample")
# These schedulers do not know that kind of prediction.
UNKNOWN = {("pndm", "sample"), ("euler_ancestral", "sample")}
STEPS = 10


def draw(seed: int) -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed))


def scheduler_of(name: SchedulerName, **config: object) -> Any:
    base: dict[str, Any] = {} if name.startswith("flow") else DIFFUSION | {"clip_sample": False}
    scheduler: Any = make_scheduler(name, base | config)
    scheduler.set_timesteps(STEPS)
    return scheduler


def first_sample(scheduler: Any, clean: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """The clean latents, noised to where the scheduler starts."""
    start = scheduler.timesteps[:1]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    flows = hasattr(scheduler, "scale_noise")
    sample = scheduler.scale_noise(clean, start, noise) if flows else scheduler.add_noise(clean, noise, start)
    assert isinstance(sample, torch.Tensor)
    return sample


def truth(scheduler: Any, kind: str, clean: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """What a perfect network would answer at the first step."""
    kept = float(scheduler.alphas_cumprod[int(scheduler.timesteps[0])]) if hasattr(scheduler, "alphas_cumprod") else 0
    answers: dict[str, torch.Tensor] = {
        "epsilon": noise,
        "sample": clean,
        "v_prediction": kept**0.5 * noise - (1 - kept) ** 0.5 * clean,
        "flow": noise - clean,
    }
    return answers[kind]


@pytest.mark.parametrize(("name", "kind"), [pair for pair in product(DIFFUSING, KINDS) if pair not in UNKNOWN])
def test_a_perfect_network_s_estimate_is_the_clean_image(name: SchedulerName, kind: str) -> None:
    scheduler = scheduler_of(name, prediction_type=kind)
    clean, noise = draw(1), draw(2)
    sample = first_sample(scheduler, clean, noise)

    with clean_estimate(scheduler) as estimate:
        scheduler.step(truth(scheduler, kind, clean, noise), scheduler.timesteps[0], sample, return_dict=False)
        found = estimate.latents()

    assert found is not None
    # LCM blends in some of the sample by design.
    assert torch.allclose(found, clean, atol=0.2 if name == "lcm" else 0.02)


@pytest.mark.parametrize("name", FLOWING)
def test_so_it_is_for_models_of_flow_matching(name: SchedulerName) -> None:
    scheduler = scheduler_of(name)
    clean, noise = draw(1), draw(2)
    sample = first_sample(scheduler, clean, noise)

    with clean_estimate(scheduler) as estimate:
        scheduler.step(noise - clean, scheduler.timesteps[0], sample, return_dict=False)
        found = estimate.latents()

    assert found is not None
    assert torch.allclose(found, clean, atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_looking_changes_nothing_of_what_a_scheduler_does(name: SchedulerName) -> None:
    watched, plain = scheduler_of(name), scheduler_of(name)
    signature = inspect.signature(plain.step)
    draws = [torch.Generator().manual_seed(5) for _ in range(2)]
    stochastic = "generator" in signature.parameters
    samples = [draw(3), draw(3)]

    with clean_estimate(watched) as estimate:
        assert inspect.signature(watched.step) == signature
        for timestep in plain.timesteps:
            for index, scheduler in enumerate((watched, plain)):
                more = {"generator": draws[index]} if stochastic else {}
                answer = scheduler.step(draw(4), timestep, samples[index], **more, return_dict=False)
                samples[index] = answer[0]
            assert estimate.latents() is not None

    assert torch.equal(samples[0], samples[1])


def test_nothing_of_it_stays_at_the_scheduler() -> None:
    scheduler = scheduler_of("euler")

    with clean_estimate(scheduler) as estimate:
        assert estimate.latents() is None
        scheduler.step(draw(1), scheduler.timesteps[0], draw(2), return_dict=False)

    assert estimate.latents() is None
    assert "step" not in vars(scheduler)


def test_a_scheduler_that_nothing_is_known_of_gives_no_estimate() -> None:
    class Unknown:
        config: dict[str, Any] = {}  # noqa: RUF012

        def step(self, model_output: Any, timestep: Any, sample: torch.Tensor, return_dict: bool = True) -> Any:
            return (sample,)

    scheduler = Unknown()
    with clean_estimate(scheduler) as estimate:
        scheduler.step(draw(1), None, draw(2), return_dict=False)

        assert estimate.latents() is None
