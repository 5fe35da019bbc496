"""What a pipeline is asked for in these tests."""

from dataclasses import dataclass

from darkroom.inputs import Task
from tests.models.tiny.pipelines import SIDE


@dataclass(frozen=True)
class Wish:
    prompt: str = "a red circle on a white background"
    negative_prompt: str | None = None
    width: int = SIDE
    height: int = SIDE
    steps: int = 2
    guidance_scale: float = 3.0
    n: int = 1
    task: Task = Task.TEXT_TO_IMAGE
    strength: float | None = None
    control_scale: float | None = None
