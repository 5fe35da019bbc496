"""Schedulers that keep their numbers on the CPU. A device that only has shapes stands for the GPU."""

import inspect
from typing import Any, get_args

import pytest
import torch

from darkroom.catalogue import SchedulerName
from models.cpu_schedule import keep_on_cpu
from models.schedulers import own_scheduler
from models.transfer import Copies
from tests.models.conftest import TinyPipeline

NAMES = get_args(SchedulerName)


def scheduler_of(tiny_pipeline: TinyPipeline, name: str) -> Any:
    return own_scheduler(tiny_pipeline("sd3" if name.startswith("flow_") else "sd"), name)


@pytest.mark.parametrize("name", NAMES)
def test_timesteps_stay_on_the_cpu_whatever_device_is_asked_for(name: str, tiny_pipeline: TinyPipeline) -> None:
    scheduler = scheduler_of(tiny_pipeline, name)
    keep_on_cpu(scheduler)

    scheduler.set_timesteps(3, device="meta")

    held = [value for value in vars(scheduler).values() if isinstance(value, torch.Tensor)]
    assert {value.device.type for value in (scheduler.timesteps, *held)} == {"cpu"}


@pytest.mark.parametrize("name", NAMES)
def test_what_it_computes_stays_the_same_bit_for_bit(name: str, tiny_pipeline: TinyPipeline) -> None:
    plain, kept = (scheduler_of(tiny_pipeline, name) for _ in range(2))
    keep_on_cpu(kept)

    assert torch.equal(stepped(plain), stepped(kept))


@pytest.mark.parametrize("name", NAMES)
def test_to_whoever_asks_it_is_what_it_was(name: str, tiny_pipeline: TinyPipeline) -> None:
    plain, kept = (scheduler_of(tiny_pipeline, name) for _ in range(2))
    keep_on_cpu(kept)

    assert isinstance(kept, type(plain))
    assert kept.config == plain.config
    assert type(kept).__name__ == type(plain).__name__
    for method in ("set_timesteps", "step"):
        assert inspect.signature(getattr(kept, method)) == inspect.signature(getattr(plain, method))


def test_meanwhile_equations_are_solved_without_looking_whether_they_could_be() -> None:
    matrix, right = torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 2.0])

    with Copies():
        solution = torch.linalg.solve(matrix, right)

    assert solution.tolist() == [1.0, 0.5]


def stepped(scheduler: Any) -> torch.Tensor:
    draws = "generator" in inspect.signature(scheduler.step).parameters
    noise = {"generator": torch.Generator().manual_seed(0)} if draws else {}
    scheduler.set_timesteps(4, device="cpu")
    latents = torch.ones(1, 4, 8, 8)
    for timestep in scheduler.timesteps:
        latents = scheduler.step(latents * 0.1, timestep, latents, **noise, return_dict=False)[0]
    return latents
