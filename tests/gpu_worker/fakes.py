"""Stand-ins that are told what to do: a lane that draws plain squares, and a storage where something happens."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from darkroom.request import ImageRequest
from gpu_worker.lanes import OnStep
from storage.links import LinkSigner
from storage.local import LocalStorage


def nothing() -> None:
    pass


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


class WatchedStorage(LocalStorage):
    """A real folder. `before_put` is called before each put, and may raise."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, LinkSigner(b"s" * 32), "http://images.example")
        self.before_put: Callable[[], None] = nothing

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        self.before_put()
        super().put(key, data, content_type=content_type)
