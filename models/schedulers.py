"""The schedulers that a request can name, and how each is made from a model's own configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast, get_args

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


def make_scheduler(name: SchedulerName, config: Mapping[str, Any]) -> "SchedulerMixin":
    """A new scheduler for a model, `config` being that of the model's own.

    Noise schedule, prediction type, spacing and shift are the model's and are kept; the name only chooses the solver.
    """
    import diffusers

    recipe = RECIPES[name]
    scheduler_class = getattr(diffusers, recipe.scheduler_class)
    return cast("SchedulerMixin", scheduler_class.from_config(config, **_shift(name, config), **recipe.settings))


def own_scheduler(base: "DiffusionPipeline", name: str | None) -> "SchedulerMixin":
    """A scheduler that shares no state with any other. Without a name: like the one the model came with."""
    if name is None:
        return cast("SchedulerMixin", type(base.scheduler).from_config(base.scheduler.config))
    if name not in get_args(SchedulerName):
        raise ValueError(f"unknown scheduler {name}; known are {', '.join(get_args(SchedulerName))}")
    return make_scheduler(cast("SchedulerName", name), base.scheduler.config)


def _shift(name: SchedulerName, config: Mapping[str, Any]) -> dict[str, object]:
    """UniPC has another name for the shift of flow matching."""
    return {"flow_shift": config.get("shift", 1.0)} if name == "flow_unipc" else {}
