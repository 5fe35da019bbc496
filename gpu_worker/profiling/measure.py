"""Measures networks by the calls that a warm-up made: how long forwards of more and more copies of one take on this
device, how much memory, and whether a row's result depends on the others of its forward.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from gpu_worker.engine.call import Call, Entry
from gpu_worker.engine.calls.arguments import Arguments, NotBatchable, join
from gpu_worker.engine.calls.outputs import split
from gpu_worker.engine.cores import divide
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Profile, find_knee
from gpu_worker.memory.device import Memory, peak_through

REPEATS = 3
# Enough time for repeats of one size: what takes long varies little.
ENOUGH_S = 0.3
# Time for all sizes of one network. A larger size is not begun after it: a worker shall start soon.
BUDGET_S = 1.5
# Of the largest value. Another batch size takes other kernels, which round differently; another row's values, or a
# statistic over all rows, move results by far more.
TOLERANCE = {torch.float32: 0.01, torch.float64: 0.01}
HALF_TOLERANCE = 0.1


def profile_of(call: Call, most_rows: int, engine: Engine, *, compiles: bool = False) -> Profile:
    """Measured in the engine's thread. Raises what the network raises."""
    return engine.do(lambda: _measured(call, most_rows, engine.device, engine.memory, compiles=compiles))


def _measured(call: Call, most_rows: int, device: str, memory: Memory, *, compiles: bool = False) -> Profile:
    """A network that `compiles` at its first forward of each size has that forward for nothing."""
    arguments = call.arguments
    if arguments is None:
        return Profile(1)
    spent_s, taken = 0.0, dict[int, int]()

    def seconds(rows: int) -> float | None:
        nonlocal spent_s
        if rows > arguments.rows and spent_s > BUDGET_S:
            return None
        try:
            if compiles:
                run_copies(call, arguments, rows)
            taken[rows] = memory.taken_by(lambda: run_copies(call, arguments, rows))
            times = timed(lambda: run_copies(call, arguments, rows), device)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return None
        spent_s += sum(times)
        return min(times)

    knee = find_knee(seconds, max(most_rows, arguments.rows), least=arguments.rows)
    return Profile(knee, peak_through(taken))


def spread_over_cores(calls: Collection[Call], engine: Engine) -> None:
    """On a CPU: as many forwards at once as a step's network is worth. `calls` are of all networks."""
    step = next((call for call in calls if call.entry.is_step and call.arguments), None)
    if step is not None:
        entries = {call.entry for call in calls}
        engine.spread(entries, lambda cores: divide(lambda threads: seconds_with(threads, step), cores))


def seconds_with(threads: int, call: Call) -> float:
    """Of a forward of this call alone, on a CPU. Changes how many threads the caller's thread computes with."""
    torch.set_num_threads(threads)
    arguments = call.arguments
    assert arguments, "a call that was taken apart"
    return min(timed(lambda: run_copies(call, arguments, arguments.rows), "cpu"))


def run_copies(call: Call, arguments: Arguments, rows: int) -> None:
    call.entry.run(**join([arguments] * max(1, rows // arguments.rows), pad_to=rows))


def timed(forward: Callable[[], object], device: str) -> list[float]:
    """Seconds of a few forwards. Waits for the device: a launch alone says nothing."""
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < ENOUGH_S:
        started = time.perf_counter()
        forward()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
    return times


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
