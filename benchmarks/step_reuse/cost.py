"""What step reuse itself costs a lane, with latents of the sizes that large models have. No network runs."""

import inspect
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler

from gpu_worker.engine.call import Entry
from gpu_worker.step_reuse.policy import Level
from gpu_worker.step_reuse.run import StepReuse

STEPS, RUNS = 30, 3
# Latents as their denoisers take them, for one image of 1024x1024.
SUBJECTS: Sequence[tuple[str, tuple[int, ...], Any]] = (
    ("SDXL, guided", (2, 4, 128, 128), EulerDiscreteScheduler),
    ("FLUX", (1, 4096, 64), FlowMatchEulerDiscreteScheduler),
)


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one lane's thread, at each step."""

    model: str
    computed_ms: float
    recalled_ms: float


def measure_costs() -> list[Cost]:
    return [Cost(name, _ms(shape, scheduler, 0), _ms(shape, scheduler, 10**6)) for name, shape, scheduler in SUBJECTS]


def _ms(shape: tuple[int, ...], scheduler_class: Any, most_in_a_row: int) -> float:
    return min(_run(shape, scheduler_class(), most_in_a_row) for _ in range(RUNS)) / STEPS * 1e3


def _run(shape: tuple[int, ...], scheduler: Any, most_in_a_row: int) -> float:
    scheduler.set_timesteps(STEPS)
    pipeline = SimpleNamespace(scheduler=scheduler, num_timesteps=STEPS)
    reuse = StepReuse(Level(tolerance=1e9, most_in_a_row=most_in_a_row), pipeline)
    parameter = inspect.Parameter("sample", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    entry = Entry("Network", "forward", len, inspect.Signature([parameter]))
    sample, answer = torch.randn(shape), (torch.randn(shape),)
    started = time.perf_counter()
    for _ in range(STEPS):
        reuse.answer(entry, (sample,), {}, lambda: answer)
        reuse.step_done()
    return time.perf_counter() - started
