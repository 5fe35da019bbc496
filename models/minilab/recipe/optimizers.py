"""Which optimizer has which weights."""

import torch
from torch import nn

from models.minilab.recipe.muon import Muon

# Where numbers come in and go out, a direction's size means something.
OUTER = ("embedding", "conv_in", "conv_out")


def new_optimizers(network: nn.Module, inner_rate: float, outer_rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices within; AdamW for norms, biases, embeddings, and the first and the last layer."""
    inner: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, weights in network.named_parameters():
        is_inner = weights.ndim >= 2 and not any(part in name for part in OUTER)
        (inner if is_inner else others).append(weights)
    return [
        Muon(inner, lr=inner_rate),
        torch.optim.AdamW(others, lr=outer_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


class Rates:
    """Lets all groups of several optimizers rise and fall together."""

    def __init__(self, optimizers: list[torch.optim.Optimizer]) -> None:
        self._groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        self._full = [group["lr"] for group in self._groups]

    def set(self, share: float) -> None:
        for group, rate in zip(self._groups, self._full, strict=True):
            group["lr"] = rate * share
