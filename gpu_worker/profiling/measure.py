"""Measures a call's shape: how long forwards of more and more copies of it take on this device, and how much memory."""

import time
from collections.abc import Callable

import torch

from gpu_worker.engine.call import Call
from gpu_worker.engine.calls.arguments import Arguments, join
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Profile, find_knee
from gpu_worker.memory.device import Memory, peak_through

REPEATS = 3
# Enough time for repeats of one size: what takes long varies little.
ENOUGH_S = 0.3
# Time for all sizes of one network. A larger size is not begun after it: a worker shall start soon.
BUDGET_S = 1.5


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
