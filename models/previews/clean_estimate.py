"""What the finished latents will be, as a scheduler guesses at a step.

The latents themselves are mostly noise until late; this guess is a blurred picture from early on.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Step = tuple[torch.Tensor, torch.Tensor, torch.Tensor, tuple[torch.Tensor, ...]]
    """Model output, timestep, sample, and what the scheduler made of them."""


class CleanEstimate:
    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.last: Step | None = None
        """Filled in by the scheduler's steps."""

    def latents(self) -> "torch.Tensor | None":
        """As of the last step; None before the first, or for a scheduler that nothing is known of."""
        if self.last is None:
            return None
        model_output, timestep, sample, answer = self.last
        if len(answer) > 1:  # `pred_original_sample`; LCM calls it `denoised`
            return answer[1]
        if _keeps_estimates(self._scheduler):
            kept: torch.Tensor = self._scheduler.model_outputs[-1]
            return kept
        return _estimate(self._scheduler, model_output, timestep, sample.float())


@contextmanager
def clean_estimate(scheduler: Any) -> Iterator[CleanEstimate]:
    """Looks over the scheduler's shoulder meanwhile. What it computes and returns stays as it is."""
    estimate, step = CleanEstimate(scheduler), scheduler.step

    @functools.wraps(step)  # pipelines ask for its signature
    def watched(model_output: Any, timestep: Any, sample: Any, *args: Any, **kwargs: Any) -> Any:
        answer = step(model_output, timestep, sample, *args, **kwargs)
        estimate.last = (model_output, timestep, sample, tuple(answer) if isinstance(answer, tuple) else ())
        return answer

    scheduler.step = watched
    try:
        yield estimate
    finally:
        # Else scheduler and wrapper would hold each other, and a device's tensors, until the next garbage collection.
        del scheduler.step
        estimate.last = None


def _keeps_estimates(scheduler: Any) -> bool:
    """DPM-Solver++ and UniPC turn what the network gave into an estimate of the clean sample, and keep that."""
    solver = scheduler.config.get("algorithm_type") or ""
    return "dpmsolver++" in solver or bool(getattr(scheduler, "predict_x0", False))


def _estimate(
    scheduler: Any, model_output: "torch.Tensor", timestep: "torch.Tensor", sample: "torch.Tensor"
) -> "torch.Tensor | None":
    """Flow matching: x0 = x - t v (Lipman et al. 2022). Diffusion: Ho et al. 2020, eq. 15; v: Salimans and Ho 2022."""
    config, answer = scheduler.config, model_output.float()
    if type(scheduler).__name__.startswith("FlowMatch"):
        return sample - timestep.float() / float(config.num_train_timesteps) * answer
    if not hasattr(scheduler, "alphas_cumprod"):
        return None
    kept = float(scheduler.alphas_cumprod[int(timestep)])
    alpha, sigma = kept**0.5, (1 - kept) ** 0.5
    estimates: dict[str, Callable[[], torch.Tensor]] = {
        "epsilon": lambda: (sample - sigma * answer) / alpha,
        "v_prediction": lambda: alpha * sample - sigma * answer,
        "sample": lambda: answer,
    }
    known = estimates.get(str(config.get("prediction_type")))
    return known() if known else None
