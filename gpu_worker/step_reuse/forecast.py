"""Forecasts what a denoiser will say at a step from what it said before.

It does so for the clean sample that an answer means, not for the answer: that one holds the noise of its own step, and
a stochastic scheduler's next step has another. `docs/log.md` has the comparison.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils import _pytree as pytree

from models.previews.clean_rule import CleanRule

# Of the last change, how much is expected again. The whole of it overshoots, above all over several steps.
EXTRAPOLATION = 0.3

# An error with less noise left than this counts as if it were so much.
LEAST_NOISE = 0.05

Samples = Sequence[torch.Tensor]


class Forecast:
    """One call of each step: of two that guidance makes, each has its own."""

    def __init__(self) -> None:
        self._clean: Samples = ()
        self._slope: Samples = ()
        self._step = 0.0

    @property
    def shapes(self) -> list[torch.Size]:
        return [clean.shape for clean in self._clean]

    def at(self, step: int) -> list[torch.Tensor]:
        """First-order, damped: TaylorSeer (Liu et al. 2025) and SeaCache (2026) go the whole way, inside networks."""
        ahead = EXTRAPOLATION * (step - self._step)
        if not self._slope:
            return list(self._clean)
        return [clean + ahead * slope for clean, slope in zip(self._clean, self._slope, strict=True)]

    def learn(self, step: int, clean: Samples, weight: float) -> tuple[list[torch.Tensor], torch.Tensor | None]:
        """What the step's clean samples count as, and how far their forecast was off, per step; None at the first.

        All that is kept moves by the weight: nothing at 0, all the way at 1. See `ReusePolicy`.
        """
        if self.shapes != [each.shape for each in clean]:
            self._clean, self._slope, self._step = list(clean), (), step
            return list(clean), None
        steps, expected = step - self._step, self.at(step)
        error = _distance(clean, expected) / _size(clean) / steps
        slope = [(now - before) / steps for now, before in zip(clean, self._clean, strict=True)]
        self._slope = _mixed(self._slope, slope, weight) if self._slope else slope
        self._clean, self._step = _mixed(self._clean, clean, weight), self._step + weight * steps
        return _mixed(expected, clean, weight), error


class RememberedCall:
    """One of the denoiser's calls in a step, remembered, so that a later step's can be answered from memory.

    Turns samples and answers into what `Forecast` forecasts, and back.
    """

    def __init__(self) -> None:
        self._forecast = Forecast()
        # Of the last answer, its form: tensors in it are empty, as a view would keep the whole batch's.
        self._leaves: list[Any] = []
        self._tree: Any = None

    def recall(self, step: int, rule: CleanRule, samples: Samples) -> Any:
        """What the network would say; None if it never said anything that fits."""
        own = _latents(samples, self._forecast.shapes)
        return self._said(rule, own, self._forecast.at(step)) if own else None

    def learn(
        self, step: int, rule: CleanRule, samples: Samples, output: Any, weight: float
    ) -> tuple[Any, torch.Tensor | None]:
        """What the network's output counts as, and how far its forecast was off; None where there was none."""
        leaves, self._tree = pytree.tree_flatten(output)
        answers = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        own = _latents(samples, [answer.shape for answer in answers])
        if not own:
            return output, None
        self._leaves = [leaf.new_empty(0) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        clean = [rule.clean(sample, answer) for sample, answer in zip(own, answers, strict=True)]
        mixed, error = self._forecast.learn(step, clean, weight)
        if error is not None:
            # The less noise is left, the less of an error do later steps mend.
            error = error / max(rule.noise, LEAST_NOISE)
        # What was computed stays as it is, to the last bit.
        return (output if error is None or weight == 1 else self._said(rule, own, mixed)), error

    def _said(self, rule: CleanRule, samples: Samples, clean: Samples) -> Any:
        answers = (rule.answer(sample, each) for sample, each in zip(samples, clean, strict=True))
        leaves = [next(answers).to(leaf.dtype) if isinstance(leaf, torch.Tensor) else leaf for leaf in self._leaves]
        return pytree.tree_unflatten(leaves, self._tree)


def _latents(samples: Samples, shapes: Sequence[torch.Size]) -> list[torch.Tensor]:
    """Samples without the channels that inpainting adds behind them; empty if answers are of another shape still."""
    if len(samples) != len(shapes):
        return []
    own = [sample[:, : shape[1]] if len(shape) == 4 else sample for sample, shape in zip(samples, shapes, strict=True)]
    return own if [sample.shape for sample in own] == list(shapes) else []


def _mixed(ones: Samples, others: Samples, weight: float) -> list[torch.Tensor]:
    """Exactly the others at weight 1."""
    if weight == 1:
        return list(others)
    return [one + weight * (other - one) for one, other in zip(ones, others, strict=True)]


def _distance(ones: Samples, others: Samples) -> torch.Tensor:
    return torch.stack([(one - other).abs().mean() for one, other in zip(ones, others, strict=True)]).mean()


def _size(ones: Samples) -> torch.Tensor:
    return torch.stack([one.abs().mean() for one in ones]).mean() + 1e-6
