"""Where leaves stand among a call's arguments.

torch flattens any tree, in a fifth of a millisecond, while another lane waits for Python. Most arguments are no
trees: so it is asked only for those that are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree

from gpu_worker.engine.calls.leaves import Prompt, Samples

PLAIN = frozenset({type(None), bool, int, float, str, torch.Tensor, torch.nn.Parameter, Prompt, Samples})


@dataclass(frozen=True)
class Structure:
    """Names in order, each with its tree; None for what is a leaf itself."""

    names: tuple[str, ...]
    trees: tuple[pytree.TreeSpec | None, ...]

    @property
    def fit(self) -> object:
        return self.names, tuple(None if tree is None else repr(tree) for tree in self.trees)

    def filled(self, leaves: Sequence[Any]) -> dict[str, Any]:
        rest = iter(leaves)
        return {
            name: next(rest) if tree is None else _filled(tree, rest)
            for name, tree in zip(self.names, self.trees, strict=True)
        }


def taken_apart(arguments: Mapping[str, Any]) -> tuple[list[tuple[str, Any]], Structure]:
    """The leaves, each with the name of the argument that it is part of."""
    leaves: list[tuple[str, Any]] = []
    trees: list[pytree.TreeSpec | None] = []
    for name, value in arguments.items():
        if type(value) in PLAIN:
            leaves.append((name, value))
            trees.append(None)
        else:
            parts, tree = pytree.tree_flatten(value)
            leaves += [(name, part) for part in parts]
            trees.append(tree)
    return leaves, Structure(tuple(arguments), tuple(trees))


def _filled(tree: pytree.TreeSpec, rest: Iterator[Any]) -> Any:
    return pytree.tree_unflatten([next(rest) for _ in range(tree.num_leaves)], tree)
