"""GPU workers as `gpu_worker.app` makes them, but for one prompt that kills their process in the midst of denoising.

The prompt is what DARKROOM_TEST_CRASH_PROMPT says. Only these workers, which tests alone start, know that setting:
there is nothing in the product that could be made to crash.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from celery import bootsteps

from darkroom.jobs import Job
from darkroom.request import ImageRequest
from gpu_worker.app import LoadModels, app, life
from gpu_worker.jobs.lanes import Claim, Lane, Lanes, Watch

if TYPE_CHECKING:
    from PIL.Image import Image

PROMPT = os.environ["DARKROOM_TEST_CRASH_PROMPT"]
# Others have joined its batch by then.
AT_STEP = 3


class FatalWatch:
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def step_done(self, step: int, steps: int) -> None:
        self._watch.step_done(step, steps)
        if step == AT_STEP:
            os.kill(os.getpid(), signal.SIGKILL)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._watch, name)


class CrashingLane:
    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def run(self, request: ImageRequest, watch: Watch) -> "list[Image]":
        return self._lane.run(request, cast(Watch, FatalWatch(watch)) if request.prompt == PROMPT else watch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lane, name)


class CrashingLanes:
    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    @contextmanager
    def next_job(self, claim: Claim) -> Iterator[tuple[Lane, Job] | None]:
        with self._lanes.next_job(claim) as taken:
            yield (CrashingLane(taken[0]), taken[1]) if taken else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lanes, name)


class MakeLanesCrash(bootsteps.StartStopStep):  # type: ignore[misc]
    requires = (LoadModels,)

    def start(self, _worker: Any) -> None:
        lanes = {model: cast(Lanes, CrashingLanes(lanes)) for model, lanes in life.node.lanes.items()}
        life.node = replace(life.node, lanes=lanes)


app.steps["worker"].add(MakeLanesCrash)
