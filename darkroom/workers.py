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
    """Of each model, where it has models, but for those named by `fewer`."""
    device: str = "cpu"
    fewer: dict[str, int] = field(default_factory=dict)

    def lanes_for(self, model: str) -> int:
        """How many jobs of a model it has under way at the same time, at most."""
        return self.fewer.get(model, self.lanes) if model in self.models else 0


def lanes_of(workers: Iterable[WorkerInfo], model: str) -> int:
    """How many jobs of a model run at the same time, at most."""
    return sum(worker.lanes_for(model) for worker in workers)
