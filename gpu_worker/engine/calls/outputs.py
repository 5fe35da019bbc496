"""Hands each call its own rows of what a shared forward gave."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch.utils import _pytree as pytree

from gpu_worker.engine.calls.arguments import NotBatchable

# What a VAE's encoder gives is no tree of tensors to torch until it is told.
if DiagonalGaussianDistribution not in pytree.SUPPORTED_NODES:
    pytree.register_pytree_node(
        DiagonalGaussianDistribution,
        lambda distribution: ([distribution.parameters], distribution.deterministic),
        lambda leaves, deterministic: DiagonalGaussianDistribution(next(iter(leaves)), bool(deterministic)),
    )

PLAIN = (bool, int, float, str, type(None))


def split(output: Any, rows: Sequence[int], computed: int, *, has_lists: bool = False) -> list[Any]:
    """`output` of a forward over `computed` rows as one output for each call; what is over was padding.

    With `has_lists`, lists of `computed` entries have one a sample.
    Raises NotBatchable if the output holds something that has no rows.
    """

    def is_sample_list(node: Any) -> bool:
        return has_lists and isinstance(node, list) and len(node) == computed

    leaves, tree = pytree.tree_flatten(output, is_leaf=is_sample_list)
    has_rows = [is_sample_list(leaf) or _has_rows(leaf, computed) for leaf in leaves]
    ends = list(accumulate(rows))
    return [
        pytree.tree_unflatten(
            [leaf[end - count : end] if own else leaf for leaf, own in zip(leaves, has_rows, strict=True)], tree
        )
        for count, end in zip(rows, ends, strict=True)
    ]


def _has_rows(leaf: Any, computed: int) -> bool:
    if isinstance(leaf, torch.Tensor) and leaf.ndim > 0 and leaf.shape[0] == computed:
        return True
    if isinstance(leaf, PLAIN):
        return False
    raise NotBatchable(f"it gives a {_described(leaf)}, which cannot be told apart by rows")


def _described(leaf: Any) -> str:
    return f"tensor of shape {tuple(leaf.shape)}" if isinstance(leaf, torch.Tensor) else type(leaf).__name__
