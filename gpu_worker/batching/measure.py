"""Measures the knee of a call's shape: how long forwards of more and more copies of it take on this device."""

import time
from collections.abc import Callable

import torch

from gpu_worker.batching.arguments import join
from gpu_worker.batching.call import Call
from gpu_worker.batching.knees import find_knee

# Where a forward takes this long, a larger one is not tried for the sake of a measurement.
LONGEST_FORWARD_S = 2.0
REPEATS = 3
# Enough time for repeats of one size: what takes long varies little.
ENOUGH_S = 0.3


def measured_knee(call: Call, most_rows: int, device: str) -> int:
    """Runs the network, and so belongs into the engine's thread."""
    arguments = call.arguments
    if arguments is None:
        return 1
    last_s = 0.0

    def seconds(rows: int) -> float | None:
        nonlocal last_s
        if last_s > LONGEST_FORWARD_S:
            return None
        try:
            last_s = fastest(lambda: call.entry.run(**join([arguments] * (rows // arguments.rows))), device)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return None
        return last_s

    return find_knee(seconds, max(most_rows, arguments.rows), least=arguments.rows)


def fastest(forward: Callable[[], object], device: str) -> float:
    """Seconds of the fastest of a few, after one to warm up. Waits for the device: a launch alone says nothing."""
    times: list[float] = []
    while len(times) <= REPEATS and sum(times[1:]) < ENOUGH_S and max(times, default=0) < LONGEST_FORWARD_S:
        started = time.perf_counter()
        forward()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times[1:] or times)
