"""Takes the arguments of a network's call apart, tells which calls fit together, and joins those that do.

Works on any network: arguments are bound to the names of its `forward`, and flattened as a tree, so that
nested ones (`added_cond_kwargs`, a ControlNet's residuals) come along.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils import _pytree as pytree

from gpu_worker.engine.calls.families import (
    ANY_LENGTH,
    IGNORED,
    LISTS_OF_SAMPLES,
    MASKED_PROMPTS,
    POSITIONS,
    TIMESTEPS,
    UNWANTED,
)
from gpu_worker.engine.calls.leaves import Leaf, Prompt, Rows, Samples, Shared, Value

# torch flattens any tree, in a fifth of a millisecond, while another lane waits for Python. Most arguments are no
# trees: so it is asked only for those that are.
LEAVES = frozenset({type(None), bool, int, float, str, torch.Tensor, torch.nn.Parameter, Prompt, Samples})

Fit = tuple[object, ...]
"""Calls with equal fits can share a forward."""


class NotBatchable(Exception):
    """These calls cannot share a forward; each can still have its own."""


@dataclass(frozen=True)
class Structure:
    """Where leaves stand: names in order, each with its tree; None for what is a leaf itself."""

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


@dataclass(frozen=True)
class Arguments:
    """One call's arguments, flattened."""

    rows: int
    leaves: tuple[Leaf, ...]
    structure: Structure
    fit: Fit
    prompt: tuple[str, str] | None = None
    """The names of states and mask, where they are one leaf."""

    @property
    def has_lists(self) -> bool:
        """Whether samples come as lists; then they are given back as lists too."""
        return any(isinstance(leaf, Samples) for leaf in self.leaves)

    @property
    def sample_bytes(self) -> int:
        """Of what each call brings by itself; what all share is not counted."""
        return sum(leaf.nbytes for leaf in self.leaves if isinstance(leaf, Rows | Samples | Prompt))


def bind(signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments by their names.

    Raises TypeError if they do not match, as the network itself would, and NotBatchable if one has no name.
    """
    plan = _plan(signature)
    if plan.named and len(args) <= len(plan.named):
        bound = {**dict(zip(plan.named, args, strict=False)), **kwargs}
        # Anything else is for `bind` to say, in the network's own words.
        if len(bound) == len(args) + len(kwargs) and plan.needed <= bound.keys() <= plan.known:
            return {**plan.unwanted, **{name: bound[name] for name in plan.named if name in bound}}
    bound = signature.bind(*args, **kwargs).arguments
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            bound.update(bound.pop(parameter.name, {}))
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or (
            parameter.kind is inspect.Parameter.VAR_POSITIONAL and bound.get(parameter.name)
        ):
            raise NotBatchable(f"{parameter.name} takes arguments without names")
    return {**plan.unwanted, **bound}


@dataclass(frozen=True)
class Plan:
    """What is to be known of a signature at each call. `named` is empty where only `bind` knows how."""

    named: tuple[str, ...]
    known: frozenset[str]
    needed: frozenset[str]
    unwanted: Mapping[str, object]


# A signature's own hash looks at all of its parameters, which takes as long as binding them does.
_plans: dict[int, tuple[inspect.Signature, Plan]] = {}


def _plan(signature: inspect.Signature) -> Plan:
    known = _plans.get(id(signature))
    if known is None:
        known = _plans[id(signature)] = signature, _new_plan(signature)
    return known[1]


def _new_plan(signature: inspect.Signature) -> Plan:
    parameters = signature.parameters.values()
    is_plain = all(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    return Plan(
        named=tuple(signature.parameters) if is_plain else (),
        known=frozenset(signature.parameters),
        needed=frozenset(each.name for each in parameters if each.default is inspect.Parameter.empty),
        unwanted={name: value for name, value in UNWANTED.items() if name in signature.parameters},
    )


def flatten(network: str, entry: str, bound: Mapping[str, Any]) -> Arguments:
    """Raises NotBatchable if no argument has a batch dimension."""
    ignored = IGNORED.get((network, entry), frozenset())
    arguments: dict[str, Any] = {
        name: Samples(tuple(value), name in ANY_LENGTH)
        if name in LISTS_OF_SAMPLES and isinstance(value, list)
        else value
        for name, value in bound.items()
        if name not in ignored
    }
    rows = _rows(arguments)
    prompt = _join_prompt(arguments, MASKED_PROMPTS.get((network, entry)))
    named, structure = _taken_apart(arguments)
    device = next((value.device for _, value in named if _has_rows(value)), None)
    leaves = tuple(_leaf(name, value, rows, device) for name, value in named)
    return Arguments(rows, leaves, structure, (structure.fit, *(leaf.fit for leaf in leaves)), prompt)


def join(calls: Sequence[Arguments], *, pad_to: int = 0) -> dict[str, Any]:
    """The arguments of one forward for all calls, which must have equal fits, row after row.

    With `pad_to`, the last row is repeated up to that many, so that a compiled network sees few batch sizes.
    """
    first, rows = calls[0], [call.rows for call in calls]
    padding = max(0, pad_to - sum(rows))
    leaves = [
        leaf.join([call.leaves[index] for call in calls], rows, padding) for index, leaf in enumerate(first.leaves)
    ]
    joined = first.structure.filled(leaves)
    if first.prompt:
        states, mask = first.prompt
        joined[states], joined[mask] = joined[states]
    return joined


def shorter(call: Arguments) -> Arguments:
    """The same call with prompts of one token less, where their lengths may differ."""
    return replace(call, leaves=tuple(leaf.shorter() if isinstance(leaf, Prompt) else leaf for leaf in call.leaves))


def single(call: Arguments) -> Arguments:
    """The call's first row alone."""
    leaves = (leaf.first() if isinstance(leaf, Rows | Samples | Prompt) else leaf for leaf in call.leaves)
    return replace(call, rows=1, leaves=tuple(leaves))


def _rows(arguments: Mapping[str, Any]) -> int:
    """The batch size: that of the first argument that has one, which is the sample in every network we know."""
    for name, value in arguments.items():
        if isinstance(value, Samples):
            return len(value.entries)
        if isinstance(value, torch.Tensor) and value.ndim > 0 and name not in POSITIONS:
            return value.shape[0]
    raise NotBatchable("none of its arguments has a batch dimension")


def _join_prompt(arguments: dict[str, Any], names: tuple[str, str] | None) -> tuple[str, str] | None:
    """States and mask become one leaf, as the one cannot be padded without the other."""
    if names is None or not isinstance(arguments.get(names[0]), torch.Tensor):
        return None
    states, mask = names
    arguments[states] = Prompt(arguments[states], arguments.pop(mask, None))
    return names


def _leaf(name: str, value: object, rows: int, device: torch.device | None) -> Leaf:
    if isinstance(value, Samples | Prompt):
        return value
    if not isinstance(value, torch.Tensor):
        return Value(value)
    is_position = name in POSITIONS
    if (is_position and value.ndim == 2) or not (value.ndim == 0 or value.shape[0] in {1, rows}):
        return Shared(value)
    return Rows(value, device, is_timestep=name in TIMESTEPS, is_position=is_position)


def _has_rows(leaf: object) -> bool:
    return isinstance(leaf, Samples | Prompt) or (isinstance(leaf, torch.Tensor) and leaf.ndim > 0)


def _taken_apart(arguments: Mapping[str, Any]) -> tuple[list[tuple[str, Any]], Structure]:
    """The leaves, each with the name of the argument that it is part of."""
    leaves: list[tuple[str, Any]] = []
    trees: list[pytree.TreeSpec | None] = []
    for name, value in arguments.items():
        if type(value) in LEAVES:
            leaves.append((name, value))
            trees.append(None)
        else:
            parts, tree = pytree.tree_flatten(value)
            leaves += [(name, part) for part in parts]
            trees.append(tree)
    return leaves, Structure(tuple(arguments), tuple(trees))


def _filled(tree: pytree.TreeSpec, rest: Iterator[Any]) -> Any:
    return pytree.tree_unflatten([next(rest) for _ in range(tree.num_leaves)], tree)
