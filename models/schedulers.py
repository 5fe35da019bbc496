"""The schedulers that a request can name, and how each is made from a model's own configuration."""

import copy
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, cast, get_args
from weakref import WeakKeyDictionary

from darkroom.catalogue import SchedulerName

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from diffusers.schedulers.scheduling_utils import SchedulerMixin


@dataclass(frozen=True)
class Recipe:
    """A class of diffusers, and what is set on top of the model's own configuration."""

    scheduler_class: str
    settings: Mapping[str, object] = field(default_factory=dict)


# Each recipe sets every switch that another one uses, and every value that classes understand differently,
# so that a model whose own scheduler is, say, DPM-Solver++ with Karras sigmas leaves no trace in the others.
RECIPES: Mapping[SchedulerName, Recipe] = {
    "ddim": Recipe("DDIMScheduler"),
    "ddpm": Recipe("DDPMScheduler", {"variance_type": "fixed_small"}),
    "deis": Recipe(
        "DEISMultistepScheduler", {"algorithm_type": "deis", "solver_type": "logrho", "use_karras_sigmas": False}
    ),
    "dpmpp_2m": Recipe(
        "DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": False}
    ),
    "dpmpp_2m_karras": Recipe(
        "DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": True}
    ),
    "dpmpp_2m_sde": Recipe(
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 2, "use_karras_sigmas": False},
    ),
    "euler": Recipe("EulerDiscreteScheduler", {"use_karras_sigmas": False}),
    "euler_ancestral": Recipe("EulerAncestralDiscreteScheduler"),
    "heun": Recipe("HeunDiscreteScheduler", {"use_karras_sigmas": False}),
    "lcm": Recipe("LCMScheduler"),
    # Without its Runge-Kutta start, which takes twelve more forwards.
    "pndm": Recipe("PNDMScheduler", {"skip_prk_steps": True}),
    "unipc": Recipe("UniPCMultistepScheduler", {"solver_type": "bh2", "use_karras_sigmas": False}),
    "flow_euler": Recipe("FlowMatchEulerDiscreteScheduler"),
    "flow_heun": Recipe("FlowMatchHeunDiscreteScheduler"),
    "flow_unipc": Recipe("UniPCMultistepScheduler", {"prediction_type": "flow_prediction", "use_flow_sigmas": True}),
}


# By the model's own scheduler, then by name.
_prototypes: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_prototypes_lock = threading.Lock()


def make_scheduler(name: SchedulerName, config: Mapping[str, Any]) -> "SchedulerMixin":
    """A new scheduler for a model, `config` being that of the model's own.

    Noise schedule, prediction type, spacing and shift are the model's and are kept; the name only chooses the solver.
    """
    import diffusers

    recipe = RECIPES[name]
    scheduler_class = getattr(diffusers, recipe.scheduler_class)
    return _counting(scheduler_class.from_config(config, **_shift(name, config), **recipe.settings))


def own_scheduler(base: "DiffusionPipeline", name: str | None) -> "SchedulerMixin":
    """A scheduler that shares no state with any other. Without a name: like the one the model came with.

    A copy of one that was never used: diffusers takes several times as long to make one.
    """
    with _prototypes_lock:
        prototypes = _prototypes.setdefault(base.scheduler, {})
        if name not in prototypes:
            prototypes[name] = _prototype(base, name)
        prototype = prototypes[name]
    return cast("SchedulerMixin", copy.deepcopy(prototype))


def _prototype(base: "DiffusionPipeline", name: str | None) -> "SchedulerMixin":
    if name is None:
        return _counting(type(base.scheduler).from_config(base.scheduler.config))
    if name not in get_args(SchedulerName):
        raise ValueError(f"unknown scheduler {name}; known are {', '.join(get_args(SchedulerName))}")
    return make_scheduler(cast("SchedulerName", name), base.scheduler.config)


def _counting(scheduler: Any) -> "SchedulerMixin":
    """Lets a scheduler count its steps from 0, as some pipelines do, and not look for the first by its timestep.

    Karras' sigmas lie so close at the start that two have the same timestep; of these diffusers takes the second, and
    runs out of steps at the end. Whoever starts later says so after `set_timesteps`, as ever.
    """
    if hasattr(scheduler, "set_begin_index"):
        scheduler.__class__ = _counting_class(type(scheduler))  # type: ignore[arg-type]  # as in cpu_schedule.py
    return cast("SchedulerMixin", scheduler)


@cache
def _counting_class(scheduler_class: type) -> type:
    """A class, not a wrapper: pipelines ask for signatures and attributes of all kinds, and a copy has its own self."""
    original: Any = scheduler_class

    @wraps(original.set_timesteps)
    def set_timesteps(self: Any, *args: Any, **kwargs: Any) -> Any:
        original.set_timesteps(self, *args, **kwargs)
        self.set_begin_index(0)

    # The name stands in configurations, by which schedulers are made of others.
    return type(original.__name__, (original,), {"set_timesteps": set_timesteps, "__module__": original.__module__})


def _shift(name: SchedulerName, config: Mapping[str, Any]) -> dict[str, object]:
    """UniPC has another name for the shift of flow matching."""
    return {"flow_shift": config.get("shift", 1.0)} if name == "flow_unipc" else {}
