"""Muon: momentum whose matrices are made orthogonal (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon).

torch.optim.Muon takes matrices only; most of minilab's weights are convolutions, which are matrices once flattened.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


class Muon(torch.optim.Optimizer):
    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, _closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    self._update(param, param.grad, group)

    def _update(self, param: Tensor, gradient: Tensor, group: dict[str, float]) -> None:
        momentum = self.state[param].setdefault("momentum", torch.zeros_like(param))
        momentum.lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(momentum, group["momentum"])
        matrix = direction.flatten(1)
        # Equal sizes of change whatever a matrix's shape: RMS 0.2, that of Adam (Liu et al. 2025, section 2.2).
        scale = 0.2 * max(matrix.shape) ** 0.5
        param.mul_(1 - group["lr"] * group["weight_decay"])
        param.add_(orthogonal(matrix).view_as(param), alpha=-group["lr"] * scale)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Nearly U Vᵀ of U S Vᵀ: Newton-Schulz with Jordan's coefficients."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix) / (matrix.norm() + 1e-7)
    x = x.bfloat16()
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = (x.T if tall else x).to(matrix.dtype)
    return result
