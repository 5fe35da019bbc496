"""What a denoiser's answer says of the clean sample, and which answer would say so. Both are linear."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# Their pipelines turn the answer's sign round before the scheduler sees it.
NEGATED = frozenset({"ZImageTransformer2DModel"})
# An answer of less weight than this cannot be told from the clean sample.
LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class CleanRule:
    """At one noise level: clean = of_sample * sample + of_answer * answer. All in float32."""

    of_sample: float
    of_answer: float
    noise: float
    """Of the sample, once that has unit variance: 0 to 1."""

    def clean(self, sample: "torch.Tensor", answer: "torch.Tensor") -> "torch.Tensor":
        return self.of_sample * sample.float() + self.of_answer * answer.float()

    def answer(self, sample: "torch.Tensor", clean: "torch.Tensor") -> "torch.Tensor":
        """What the network would have to say of this sample."""
        return (clean - self.of_sample * sample.float()) / self.of_answer


def clean_rules(scheduler: Any, timesteps: Sequence[float], network: str) -> list[CleanRule] | None:
    """One for each timestep of the scheduler; None for a scheduler that nothing is known of.

    `network` is the denoiser's class. The sample is the network's input, which schedulers scale to unit variance.
    """
    sign = -1.0 if network in NEGATED else 1.0
    config = scheduler.config
    if type(scheduler).__name__.startswith("FlowMatch") or config.get("prediction_type") == "flow_prediction":
        return [_flow(timestep / float(config.num_train_timesteps), sign) for timestep in timesteps]
    kept = getattr(scheduler, "alphas_cumprod", None)
    prediction = str(config.get("prediction_type"))
    if kept is None or prediction not in {"epsilon", "v_prediction", "sample"}:
        return None
    return [_diffusion(prediction, _between(kept, timestep), sign) for timestep in timesteps]


def _flow(time: float, sign: float) -> CleanRule:
    """x0 = x - t v (Lipman et al. 2022)."""
    return CleanRule(1.0, -sign * max(time, LEAST_WEIGHT), time / math.hypot(time, 1 - time))


def _diffusion(prediction: str, kept: float, sign: float) -> CleanRule:
    """Noise: Ho et al. 2020, equation 15. v: Salimans and Ho 2022, appendix D."""
    alpha, sigma = max(kept**0.5, LEAST_WEIGHT), max((1 - kept) ** 0.5, LEAST_WEIGHT)
    if prediction == "epsilon":
        return CleanRule(1 / alpha, -sign * sigma / alpha, sigma)
    if prediction == "v_prediction":
        return CleanRule(alpha, -sign * sigma, sigma)
    return CleanRule(0.0, sign, sigma)


def _between(kept: "torch.Tensor", timestep: float) -> float:
    """The table's value, between two entries for solvers whose timesteps are not whole."""
    last = len(kept) - 1
    below = min(max(int(timestep), 0), last)
    share = min(max(timestep - below, 0.0), 1.0)
    return float(kept[below]) * (1 - share) + float(kept[min(below + 1, last)]) * share
