"""Forecasts what a denoiser will say at a step from what it said before.

It does so for the clean sample that an answer means, not for the answer: that one holds the noise of its own step, and
a stochastic scheduler's next step has another. `docs/log.md` has the comparison.
"""

from collections.abc import Sequence

import torch

# Of the last change, how much is expected again. The whole of it overshoots, above all over several steps.
EXTRAPOLATION = 0.3

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


def _mixed(ones: Samples, others: Samples, weight: float) -> list[torch.Tensor]:
    """Exactly the others at weight 1."""
    if weight == 1:
        return list(others)
    return [one + weight * (other - one) for one, other in zip(ones, others, strict=True)]


def _distance(ones: Samples, others: Samples) -> torch.Tensor:
    return torch.stack([(one - other).abs().mean() for one, other in zip(ones, others, strict=True)]).mean()


def _size(ones: Samples) -> torch.Tensor:
    return torch.stack([one.abs().mean() for one in ones]).mean() + 1e-6
