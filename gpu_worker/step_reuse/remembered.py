"""One of the denoiser's calls in a step, remembered, so that a later step's can be answered from memory."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils import _pytree as pytree

from gpu_worker.step_reuse.forecast import Forecast, Samples
from models.previews.clean_rule import CleanRule

LEAST_NOISE = 0.05


class RememberedCall:
    """Turns samples and answers into what `Forecast` forecasts, and back."""

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
