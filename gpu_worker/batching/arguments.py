"""Takes the arguments of a network's call apart, tells which calls fit together, and joins those that do.

Works on any network: arguments are bound to the names of its `forward`, and flattened as a tree, so that
nested ones (`added_cond_kwargs`, a ControlNet's residuals) come along.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree

from gpu_worker.batching.families import IGNORED, LISTS_OF_SAMPLES, SHARED_MATRICES
from gpu_worker.batching.fingerprint import fingerprint

Fit = tuple[object, ...]
"""Calls with equal fits can share a forward."""


class NotBatchable(Exception):
    """These calls cannot share a forward; each can still have its own."""


@dataclass(frozen=True)
class SampleList:
    """An argument that is a list with an entry a sample; a leaf of the tree, whatever the entries are."""

    entries: tuple[Any, ...]


@dataclass(frozen=True)
class Arguments:
    """One call's arguments, flattened."""

    rows: int
    leaves: tuple[Any, ...]
    kinds: tuple[str, ...]  # of each leaf: "rows", "list", "shared", "value"
    tree: pytree.TreeSpec
    fit: Fit


def bind(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments by the names of `function`'s own signature."""
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs).arguments
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            bound.update(bound.pop(parameter.name, {}))
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL and bound.get(parameter.name):
            raise NotBatchable(f"{parameter.name} takes arguments without names")
    return dict(bound)


def flatten(network: str, entry: str, bound: Mapping[str, Any]) -> Arguments:
    """Raises NotBatchable if no argument has a batch dimension."""
    ignored = IGNORED.get((network, entry), frozenset())
    arguments = {
        name: SampleList(tuple(value)) if name in LISTS_OF_SAMPLES and isinstance(value, list) else value
        for name, value in bound.items()
        if name not in ignored
    }
    rows = _rows(arguments)
    paths: Any
    paths, tree = pytree.tree_flatten_with_path(arguments)
    leaves = tuple(leaf for _, leaf in paths)
    kinds = tuple(_kind(str(path[0].key), leaf, rows) for path, leaf in paths)
    fit = (network, entry, repr(tree), *(_fit(leaf, kind) for leaf, kind in zip(leaves, kinds, strict=True)))
    return Arguments(rows, leaves, kinds, tree, fit)


def join(calls: Sequence[Arguments], *, pad_to: int = 0) -> dict[str, Any]:
    """The arguments of one forward for all calls, which must have equal fits, row after row.

    With `pad_to`, the last row is repeated up to that many, so that a compiled network sees few batch sizes.
    """
    first = calls[0]
    padding = max(0, pad_to - sum(call.rows for call in calls))
    leaves = [
        _join_leaf([call.leaves[index] for call in calls], kind, [call.rows for call in calls], padding)
        for index, kind in enumerate(first.kinds)
    ]
    joined = pytree.tree_unflatten(leaves, first.tree)
    return {name: list(value.entries) if isinstance(value, SampleList) else value for name, value in joined.items()}


def _rows(arguments: Mapping[str, Any]) -> int:
    """The batch size: that of the first argument that has one, which is the sample in every network we know."""
    for name, value in arguments.items():
        if isinstance(value, SampleList):
            return len(value.entries)
        if isinstance(value, torch.Tensor) and value.ndim > 0 and name not in SHARED_MATRICES:
            return value.shape[0]
    raise NotBatchable("none of its arguments has a batch dimension")


def _kind(name: str, leaf: object, rows: int) -> str:
    if isinstance(leaf, SampleList):
        return "list"
    if not isinstance(leaf, torch.Tensor):
        return "value"
    if name in SHARED_MATRICES and leaf.ndim == 2:
        return "shared"
    # A scalar, such as Stable Diffusion's timestep, and a single row both hold for every row of this call.
    return "rows" if leaf.ndim == 0 or leaf.shape[0] in {1, rows} else "shared"


def _fit(leaf: Any, kind: str) -> object:
    match kind:
        case "rows":
            return (leaf.dtype, leaf.device, tuple(leaf.shape[1:]))
        case "shared":
            return (leaf.dtype, leaf.device, tuple(leaf.shape), fingerprint(leaf))
        case "list":
            return tuple(
                (entry.dtype, entry.device, entry.ndim, entry.shape[-1]) if isinstance(entry, torch.Tensor) else "value"
                for entry in leaf.entries[:1]
            )
        case _:
            return _value_fit(leaf)


def _value_fit(value: object) -> object:
    """Equal values fit; of what cannot be compared, only the very same object does."""
    try:
        hash(value)
    except TypeError:
        return (type(value), id(value))
    return (type(value), value)


def _join_leaf(leaves: list[Any], kind: str, rows: list[int], padding: int) -> Any:
    match kind:
        case "rows":
            parts = [_full(leaf, count) for leaf, count in zip(leaves, rows, strict=True)]
            if padding:
                parts.append(parts[-1][-1:].expand(padding, *parts[-1].shape[1:]))
            return torch.cat(parts)
        case "list":
            entries = [entry for leaf in leaves for entry in leaf.entries]
            return SampleList((*entries, *[entries[-1]] * padding))
        case _:
            return leaves[0]


def _full(leaf: torch.Tensor, rows: int) -> torch.Tensor:
    """One value a row."""
    if leaf.ndim == 0:
        return leaf.expand(rows)
    return leaf if leaf.shape[0] == rows else leaf.expand(rows, *leaf.shape[1:])
