"""Muon: momentum whose matrices are made orthogonal (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon).

torch.optim.Muon takes matrices only; most of minilab's weights are convolutions, which are matrices once flattened.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import torch
from torch import Tensor


class Muon(torch.optim.Optimizer):
    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, _closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            # Matrices of one shape go together: one by one, most of the time went into starting small products.
            alike: defaultdict[torch.Size, list[Tensor]] = defaultdict(list)
            for param in group["params"]:
                if param.grad is not None:
                    alike[param.flatten(1).shape].append(param)
            for params in alike.values():
                self._update(params, group["lr"], group["momentum"])

    def _update(self, params: list[Tensor], rate: float, decay: float) -> None:
        directions = orthogonal(torch.stack([self._direction(param, decay) for param in params]))
        # Equal sizes of change whatever a matrix's shape: RMS 0.2, that of Adam (Liu et al. 2025, section 2.2).
        scale = 0.2 * max(directions.shape[1:]) ** 0.5
        for param, direction in zip(params, directions, strict=True):
            param.add_(direction.view_as(param), alpha=-rate * scale)

    def _direction(self, param: Tensor, decay: float) -> Tensor:
        """Nesterov's."""
        gradient = torch.as_tensor(param.grad)
        momentum = self.state[param].setdefault("momentum", torch.zeros_like(param))
        momentum.lerp_(gradient, 1 - decay)
        return gradient.lerp(momentum, decay).flatten(1)


def orthogonal(matrices: Tensor, steps: int = 5) -> Tensor:
    """Nearly U Vᵀ of each U S Vᵀ of `(…, m, n)`: Newton-Schulz with Jordan's coefficients."""
    a, b, c = 3.4445, -4.7750, 2.0315
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if is_tall else matrices
    x = (x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = (x.mT if is_tall else x).to(matrices.dtype)
    return result
