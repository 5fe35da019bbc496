"""A lane: room for one job. What it is asked to do, and whom it reports to; how is in pipeline_lane.py."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from darkroom.request import ImageRequest

if TYPE_CHECKING:
    from PIL.Image import Image

Draw = Callable[[], "Sequence[Image]"]
"""Gives small pictures, one for each image of a job."""


class Watch(Protocol):
    """Whom a lane tells how far it is, and asks whether to go on. Called in the lane's thread."""

    @property
    def job_id(self) -> str:
        """For whom the lane runs; empty for nobody."""

    def check(self) -> None:
        """Raises what ends the run: a cancel, a lost lease, a deadline, a stop."""

    def step_done(self, step: int, steps: int) -> None:
        """So many steps of all are done. Raises like `check`."""

    def preview(self, step: int, steps: int, draw: Draw) -> None:
        """How the images stand after this step can be drawn, in another thread and later, or never."""


class Lane(Protocol):
    def run(self, request: ImageRequest, watch: Watch) -> "list[Image]":
        """Draw the request's images, in order. The same request gives the same images, whoever shares its forwards.

        Raises OutOfMemory, GenerationFailed, and whatever `watch` raises.
        """
