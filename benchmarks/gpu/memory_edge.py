"""Admission when a device is nearly full: `python -m benchmarks.gpu.memory_edge --model M`. The last line is JSON.

A ballast leaves room for a few jobs; twice as many lanes want to draw at once. Right is: all are drawn, no forward is
lost for want of memory, and a job that can never fit is told so at once. On a CPU, which has no such edge, memory is
only said to be short.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import torch

from benchmarks.gpu.subjects import MODELS, Loaded, card_of, loaded
from darkroom.catalogue import Tuning
from darkroom.errors import OutOfMemory
from darkroom.request import ImageRequest
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.memory.budget import Need
from gpu_worker.memory.device import Memory, memory_of
from gpu_worker.memory.job_memory import Gate
from gpu_worker.profiling.knee_file import KneeFile
from gpu_worker.profiling.loading import Nobody
from gpu_worker.profiling.warm_up import Warm, warm_up

ROOM_FOR = 3
LANES = 2 * ROOM_FOR
FORWARD_BYTES = 1000


class SaidToBeShort:
    """A CPU's memory in a rehearsal."""

    def __init__(self) -> None:
        self.bytes: int | None = None

    def free_bytes(self) -> int | None:
        return self.bytes

    def taken_by(self, forward: Callable[[], object]) -> int:
        forward()
        return FORWARD_BYTES


def main() -> None:
    options = _options()
    memory: Memory = SaidToBeShort() if options.device == "cpu" else memory_of(options.device)
    with tempfile.TemporaryDirectory() as folder:
        card = card_of(options.model, options.size, Tuning(), Path(folder))
        with structlog.testing.capture_logs() as logs, loaded(card, options.device, memory) as subject:
            found = at_the_edge(subject, memory, KneeFile(Path(folder), card.id, subject.device.name))
    found["lost_forwards"] = sum(log["event"] == "batch.out_of_memory" for log in logs)
    print(json.dumps({"model": options.model, "side": options.size, **found}))
    sys.exit(found["drawn"] < LANES or not found["too_large_is_refused"])


def at_the_edge(subject: Loaded, memory: Memory, kept: KneeFile) -> dict[str, Any]:
    gate = Gate(subject.engine.memory_budget)
    lanes = [PipelineLane(subject.card, subject.pipeline, subject.engine, gate=gate) for _ in range(LANES)]
    warm = warm_up(subject.card, partial(lanes[0].run, watch=Nobody()), subject.engine, kept, 2 * LANES)
    gate.know(warm.job_memory)
    ballast = _leave_room(subject, memory, warm)
    subject.engine.weigh()
    with ThreadPoolExecutor(LANES) as threads:
        drawn = list(threads.map(partial(_is_drawn, request=subject.request), lanes))
    refused = not _is_drawn(lanes[0], subject.request.model_copy(update={"n": 1000}))
    return {"room_for": ROOM_FOR, "lanes": LANES, "drawn": sum(drawn), "too_large_is_refused": refused, **ballast}


def _leave_room(subject: Loaded, memory: Memory, warm: Warm) -> dict[str, Any]:
    need: Need = warm.job_memory.of(subject.request)
    wanted = ROOM_FOR * need.held_bytes + need.forward_bytes
    if isinstance(memory, SaidToBeShort):
        memory.bytes = wanted
        return {"free_bytes": wanted}
    free = subject.engine.do(memory.free_bytes) or 0
    _BALLAST.append(torch.empty(max(0, free - wanted), dtype=torch.uint8, device=subject.device.name))
    return {"free_bytes": subject.engine.do(memory.free_bytes)}


_BALLAST: list[torch.Tensor] = []


def _is_drawn(lane: PipelineLane, request: ImageRequest) -> bool:
    try:
        lane.run(request, Nobody())
    except OutOfMemory:
        return False
    return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--size", type=int, default=1024, help="width and height, pixels")
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


if __name__ == "__main__":
    main()
