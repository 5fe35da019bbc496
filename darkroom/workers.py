"""What a live worker says of itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class WorkerInfo:
    name: str
    kind: Literal["gpu", "cpu"]
    models: list[str] = field(default_factory=list)
    lanes: int = 0
    """Of each model, where it has models."""
    device: str = "cpu"


def lanes_of(workers: Iterable[WorkerInfo], model: str) -> int:
    """How many jobs of a model run at the same time, at most."""
    return sum(worker.lanes for worker in workers if model in worker.models)
