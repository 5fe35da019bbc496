"""Finds out before the first job which networks mix their rows: two calls, each alone and both together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from gpu_worker.engine.call import Call, Entry
from gpu_worker.engine.calls.arguments import Arguments, NotBatchable, join
from gpu_worker.engine.calls.outputs import split
from gpu_worker.engine.engine import Engine

# Of the largest value. Another batch size takes other kernels, which round differently; another row's values, or a
# statistic over all rows, move results by far more.
TOLERANCE = {torch.float32: 0.01, torch.float64: 0.01}
HALF_TOLERANCE = 0.1


def keep_unequal_alone(calls: Iterable[Call], others: Iterable[Call], engine: Engine) -> None:
    """`calls` and `others` are two different requests'. A network whose rows differ runs one by one from now on."""
    of_others = {call.fit: call for call in others}
    for call in {call.fit: call for call in calls}.values():
        other = of_others.get(call.fit)
        if call.arguments and other and other.arguments and call.entry not in engine.unbatchable:
            reason = engine.do(_comparison(call.entry, [call.arguments, other.arguments]))
            if reason:
                engine.unbatchable.keep(call.entry, reason)


def _comparison(entry: Entry, pair: Sequence[Arguments]) -> Callable[[], str | None]:
    """Why their rows must not meet, if so."""

    def difference() -> str | None:
        try:
            alone = [entry.run(**join([arguments])) for arguments in pair]
            rows = [arguments.rows for arguments in pair]
            together = split(entry.run(**join(pair)), rows, sum(rows), has_lists=pair[0].has_lists)
        except NotBatchable as error:
            return str(error)
        except torch.OutOfMemoryError:
            return None  # the knee will tell
        are_alike = all(_is_alike(*outputs) for outputs in zip(alone, together, strict=True))
        return None if are_alike else "what it gives for a row depends on the others of its forward"

    return difference


def _is_alike(one: Any, other: Any) -> bool:
    leaves, tree = pytree.tree_flatten(one)
    other_leaves, other_tree = pytree.tree_flatten(other)
    return tree == other_tree and all(_is_leaf_alike(*pair) for pair in zip(leaves, other_leaves, strict=True))


def _is_leaf_alike(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        one, other = torch.from_numpy(one), torch.from_numpy(other)
    if not isinstance(one, torch.Tensor):
        return bool(one == other)
    if one.shape != other.shape or not one.is_floating_point():
        return torch.equal(one, other)
    most = TOLERANCE.get(one.dtype, HALF_TOLERANCE) * float(one.abs().max()) if one.numel() else 0.0
    return bool(((one - other).abs() <= most).all())
