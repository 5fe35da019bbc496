"""Stand-ins: a lane that draws plain squares and does at each step what it is told; progress told at once."""

from collections.abc import Callable

from PIL import Image

from darkroom.request import ImageRequest
from gpu_worker.jobs.lanes import Watch
from gpu_worker.jobs.leases import Hold
from gpu_worker.jobs.progress import ProgressWriter


class FakeLane:
    """Takes the steps that it is asked for. `before_step` is called before each, with its number, and may raise."""

    def __init__(self) -> None:
        self.before_step: Callable[[int], None] = lambda _step: None
        self.drawn: list[ImageRequest] = []
        self.steps_taken = 0

    def run(self, request: ImageRequest, watch: Watch) -> list[Image.Image]:
        self.drawn.append(request)
        for step in range(1, request.steps + 1):
            self.before_step(step)
            self.steps_taken = step
            watch.step_done(step, request.steps)
        return [Image.new("RGB", (16, 16), (index, 0, 0)) for index in range(request.n)]


class PromptProgress(ProgressWriter):
    """Has told a step when `note` returns, so that a test knows at which step a cancel is heard of."""

    def note(self, hold: Hold, step: int, steps: int) -> None:
        super().note(hold, step, steps)
        self.flush(hold)
