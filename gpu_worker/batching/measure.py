"""Measures the knee of a call's shape: how long forwards of more and more copies of it take on this device."""

import time
from collections.abc import Callable

import torch

from gpu_worker.batching.arguments import join
from gpu_worker.batching.call import Call
from gpu_worker.batching.knees import find_knee

REPEATS = 3
# Enough time for repeats of one size: what takes long varies little.
ENOUGH_S = 0.3
# Time for all sizes of one network. A larger size is not begun after it: a worker shall start soon.
BUDGET_S = 1.5


def measured_knee(call: Call, most_rows: int, device: str) -> int:
    """Runs the network, and so belongs into the engine's thread."""
    arguments = call.arguments
    if arguments is None:
        return 1
    ends_s = time.perf_counter() + BUDGET_S

    def seconds(rows: int) -> float | None:
        if rows > arguments.rows and time.perf_counter() > ends_s:
            return None
        try:
            return fastest(lambda: call.entry.run(**join([arguments] * (rows // arguments.rows))), device)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return None

    return find_knee(seconds, max(most_rows, arguments.rows), least=arguments.rows)


def fastest(forward: Callable[[], object], device: str) -> float:
    """Seconds of the fastest of a few, after one to warm up. Waits for the device: a launch alone says nothing."""
    times: list[float] = []
    while len(times) <= REPEATS and sum(times[1:]) < ENOUGH_S and max(times, default=0) < 1:
        started = time.perf_counter()
        forward()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times[1:] or times)
