"""Hands each call its own rows of what a shared forward gave."""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch.utils import _pytree as pytree

from gpu_worker.batching.arguments import NotBatchable
from gpu_worker.batching.families import GIVES_LISTS

# What a VAE's encoder gives is no tree of tensors to torch until it is told.
if DiagonalGaussianDistribution not in pytree.SUPPORTED_NODES:
    pytree.register_pytree_node(
        DiagonalGaussianDistribution,
        lambda distribution: ([distribution.parameters], None),
        lambda leaves, _: DiagonalGaussianDistribution(next(iter(leaves))),
    )

PLAIN = (bool, int, float, str, type(None))


def split(network: str, output: Any, rows: Sequence[int], computed: int) -> list[Any]:
    """`output` of a forward over `computed` rows as one output for each call; what is over was padding.

    Raises NotBatchable if it holds something that has no rows.
    """
    if network in GIVES_LISTS:
        return _split_lists(output, rows)
    leaves, tree = pytree.tree_flatten(output)
    for leaf in leaves:
        has_rows = isinstance(leaf, torch.Tensor) and leaf.ndim > 0 and leaf.shape[0] == computed
        if not has_rows and not isinstance(leaf, PLAIN):
            raise NotBatchable(f"{network} gives {type(leaf).__name__}, which cannot be told apart by rows")
    parts, start = [], 0
    for count in rows:
        own = [leaf[start : start + count] if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        parts.append(pytree.tree_unflatten(own, tree))
        start += count
    return parts


def _split_lists(output: Any, rows: Sequence[int]) -> list[Any]:
    """A tuple whose first member is a list with an entry a sample."""
    if not isinstance(output, tuple):
        raise NotBatchable("called for something else than a tuple")
    parts, start = [], 0
    for count in rows:
        parts.append((output[0][start : start + count], *output[1:]))
        start += count
    return parts
