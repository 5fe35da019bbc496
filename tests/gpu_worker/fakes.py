"""A stand-in for a lane: it draws plain squares, and does at each step what it is told."""

from collections.abc import Callable

from PIL import Image

from darkroom.request import ImageRequest
from gpu_worker.lanes import OnStep


class FakeLane:
    """Takes the steps that it is asked for. `before_step` is called before each, with its number, and may raise."""

    def __init__(self) -> None:
        self.before_step: Callable[[int], None] = lambda _step: None
        self.drawn: list[ImageRequest] = []
        self.steps_taken = 0

    def run(self, request: ImageRequest, on_step: OnStep) -> list[Image.Image]:
        self.drawn.append(request)
        for step in range(1, request.steps + 1):
            self.before_step(step)
            self.steps_taken = step
            on_step(step, request.steps)
        return [Image.new("RGB", (16, 16), (index, 0, 0)) for index in range(request.n)]
