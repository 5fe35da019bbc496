"""Hands each call its own rows of what a shared forward gave."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
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


def split(output: Any, rows: Sequence[int], computed: int, *, has_lists: bool = False) -> list[Any]:
    """`output` of a forward over `computed` rows as one output for each call; what is over was padding.

    Tensors and arrays are cut along their first dimension, lists with an entry a row between their entries, such as a
    safety checker's flags. With `has_lists`, every list of `computed` entries is one of samples.
    Raises NotBatchable if the output holds something that may be about all rows, or about any of them.
    """

    def is_row_list(node: Any) -> bool:
        return isinstance(node, list) and len(node) == computed and (has_lists or not _holds_rows(node, computed))

    leaves, tree = pytree.tree_flatten(output, is_leaf=is_row_list)
    has_rows = [is_row_list(leaf) or _has_rows(leaf, computed) for leaf in leaves]
    ends = list(accumulate(rows))
    return [
        pytree.tree_unflatten(
            [leaf[end - count : end] if own else leaf for leaf, own in zip(leaves, has_rows, strict=True)], tree
        )
        for count, end in zip(rows, ends, strict=True)
    ]


def _holds_rows(entries: Sequence[Any], computed: int) -> bool:
    """A list of tensors that have rows has none itself: a ControlNet's residuals can be as many as rows.

    Raises NotBatchable for a list of lists either of which may have the rows.
    """

    def is_as_long(node: Any) -> bool:
        return isinstance(node, list) and len(node) == computed

    nodes = [node for entry in entries for node in pytree.tree_leaves(entry, is_leaf=is_as_long)]
    if any(is_as_long(node) for node in nodes):
        raise NotBatchable(f"it gives a list of lists, both with {computed} entries: either may be the rows")
    return any(_is_cut(node, computed) for node in nodes)


def _has_rows(leaf: Any, computed: int) -> bool:
    """Raises NotBatchable. A number for all rows depends on all of them, as far as one can see."""
    if leaf is None:
        return False
    if _is_cut(leaf, computed):
        return True
    raise NotBatchable(f"it gives a {_described(leaf)}, which cannot be told apart by rows")


def _is_cut(leaf: Any, computed: int) -> bool:
    return isinstance(leaf, torch.Tensor | np.ndarray) and leaf.ndim > 0 and leaf.shape[0] == computed


def _described(leaf: Any) -> str:
    return f"{type(leaf).__name__} of shape {tuple(leaf.shape)}" if hasattr(leaf, "shape") else type(leaf).__name__
