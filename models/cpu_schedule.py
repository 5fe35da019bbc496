"""Keeps a scheduler's numbers on the CPU, so that a step on a GPU waits for nothing.

diffusers puts timesteps and sigmas on the device of the latents. Whatever then asks for one of their values (an index
into a table, a comparison, a position in the schedule) stops its thread until the device has done all it was told.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

# Schedulers that bring something to the device at each step: noise, which lanes draw on the CPU, or coefficients.
CARRIERS = frozenset(
    {
        "DDPMScheduler",
        "DPMSolverMultistepScheduler",
        "EulerAncestralDiscreteScheduler",
        "LCMScheduler",
        "UniPCMultistepScheduler",
    }
)


def keep_on_cpu(scheduler: Any) -> None:
    """From now on. To whoever asks, it is of the class that it was."""
    scheduler.__class__ = _on_cpu(type(scheduler))  # type: ignore[arg-type]  # mypy takes type[Any] for unhashable


@cache
def _on_cpu(scheduler_class: type) -> type:
    """A class, not a wrapper: pipelines ask for signatures and attributes of all kinds, and set some."""
    original: Any = scheduler_class

    @wraps(original.set_timesteps)
    def set_timesteps(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original.set_timesteps(self, *args, **{**kwargs, "device": "cpu"} if "device" in kwargs else kwargs)

    @wraps(original.step)
    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        from models.transfer import Copies

        with Copies():
            return original.step(self, *args, **kwargs)

    methods: dict[str, Callable[..., Any]] = {"set_timesteps": set_timesteps}
    if original.__name__ in CARRIERS:
        methods["step"] = step
    # The name stands in configurations, by which schedulers are made of others.
    return type(original.__name__, (original,), {**methods, "__module__": original.__module__})
