"""Whatever model, scheduler and number of steps is offered to clients must run. Without networks: answers are noise."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from darkroom.catalogue import ModelCard, SchedulerName, read_catalogue
from darkroom.settings import BUNDLED_CATALOGUE
from models.schedulers import own_scheduler

CATALOGUE = read_catalogue(BUNDLED_CATALOGUE)


LEARNT_BY_NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SHIFTED_BY_SIZE = {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15, "max_image_seq_len": 4096}

# What the models' own repositories say of their schedulers; minilab's lies here.
PUBLISHED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "sdxl": (
        "EulerDiscreteScheduler",
        {**LEARNT_BY_NOISE, "timestep_spacing": "leading", "steps_offset": 1, "interpolation_type": "linear"},
    ),
    "sd3.5-medium": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
    "sd3.5-large": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
    "flux.1-schnell": ("FlowMatchEulerDiscreteScheduler", {"shift": 1.0}),
    "flux.1-dev": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0, **SHIFTED_BY_SIZE}),
    "flux.1-kontext-dev": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0, **SHIFTED_BY_SIZE}),
    "flux.2-klein-4b": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0, **SHIFTED_BY_SIZE}),
    "flux.2-dev": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0, **SHIFTED_BY_SIZE}),
    "qwen-image": (
        "FlowMatchEulerDiscreteScheduler",
        {**SHIFTED_BY_SIZE, "max_shift": 0.9, "max_image_seq_len": 8192, "shift_terminal": 0.02},
    ),
    "z-image-turbo": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
}


def _offered() -> dict[object, tuple[str, SchedulerName]]:
    """Without those of a model whose schedule is another's: a sweep takes seconds."""
    return {
        (card.pipeline, repr(PUBLISHED.get(card.id)), name, card.steps.max): (card.id, name)
        for card in CATALOGUE.values()
        for name in card.schedulers
    }


class Base:
    """The part of a loaded pipeline that schedulers are made from."""

    def __init__(self, card: ModelCard) -> None:
        import diffusers

        if card.path:
            self.scheduler: Any = diffusers.DPMSolverMultistepScheduler.from_pretrained(
                card.path, subfolder="scheduler"
            )
        else:
            name, config = PUBLISHED[card.id]
            self.scheduler = getattr(diffusers, name)(**config)


def test_there_is_a_published_configuration_of_each_model_that_is_not_bundled() -> None:
    assert set(PUBLISHED) == {card.id for card in CATALOGUE.values() if card.path is None}


@pytest.mark.parametrize(("model", "name"), _offered().values())
def test_every_number_of_steps_that_is_offered_runs(model: str, name: SchedulerName) -> None:
    card = CATALOGUE[model]
    base: Any = Base(card)

    faults = {
        steps: fault
        for steps in range(card.steps.min, card.steps.max + 1)
        if (fault := _fault(card, own_scheduler(base, name), steps))
    }

    assert faults == {}


def _fault(card: ModelCard, scheduler: Any, steps: int) -> str | None:
    try:
        with torch.inference_mode():
            sample = _drawn(card, scheduler, steps)
    except Exception as error:
        return repr(error)
    return None if bool(torch.isfinite(sample).all()) else "not finite"


def _drawn(card: ModelCard, scheduler: Any, steps: int) -> torch.Tensor:
    """As pipelines do it, from the number of steps to the last step."""
    generator = torch.Generator().manual_seed(steps)
    timesteps = _timesteps(card, scheduler, steps)
    answer = torch.randn(1, 4, 2, 2, generator=generator)
    sample = answer * getattr(scheduler, "init_noise_sigma", 1.0)
    takes_generator = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
    for timestep in timesteps:
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(sample, timestep)
        sample = scheduler.step(answer, timestep, sample, return_dict=False, **takes_generator)[0]
    return sample


def _timesteps(card: ModelCard, scheduler: Any, steps: int) -> Any:
    """Each family's pipeline has its own words for it."""
    import diffusers

    family: Any = importlib.import_module(getattr(diffusers, card.pipeline).__module__)
    config = scheduler.config
    given: dict[str, Any] = {}
    if card.pipeline.startswith("Flux") or card.pipeline == "QwenImagePipeline":
        # FLUX.1 Kontext and Qwen-Image give their own, whatever the scheduler would do.
        knows_itself = config.get("use_flow_sigmas", False) and card.pipeline not in GIVE_SIGMAS
        given["sigmas"] = None if knows_itself else np.linspace(1.0, 1 / steps, steps)
    if card.pipeline == "ZImagePipeline":
        given["sigmas"] = family.get_default_z_image_sigmas(steps)
    tokens = (card.size.width // 16) * (card.size.height // 16)
    if card.pipeline.startswith("Flux2"):
        given["mu"] = family.compute_empirical_mu(image_seq_len=tokens, num_steps=steps)
    elif given:
        bounds = (config.get(key, value) for key, value in SHIFT_BOUNDS.items())
        given["mu"] = family.calculate_shift(tokens, *bounds)
    timesteps, _ = family.retrieve_timesteps(scheduler, steps, "cpu", **given)
    if given and hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    return timesteps


GIVE_SIGMAS = frozenset({"FluxKontextPipeline", "QwenImagePipeline"})
# As pipelines fill in what a scheduler does not say.
SHIFT_BOUNDS = {"base_image_seq_len": 256, "max_image_seq_len": 4096, "base_shift": 0.5, "max_shift": 1.15}
