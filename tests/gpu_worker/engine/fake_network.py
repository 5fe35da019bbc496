"""A network that records how many rows each forward had, and misbehaves on command."""

import threading
import weakref
from typing import Any

import torch

PATIENCE_S = 30

# In a sample: fail, whoever shares this forward.
GUILTY = -1.0


class FakeNetwork(torch.nn.Module):
    """Doubles its samples. `room` is how many rows fit into its memory."""

    def __init__(self, most_rows: int = 1000) -> None:
        super().__init__()
        self.most_rows = most_rows
        self.fails_in_batches = False
        self.loses_device = False
        self.output: Any = None
        """Given back instead of the doubled samples."""
        self.rows_per_forward: list[int] = []
        self.samples: list[float] = []
        """In the order in which they were served."""
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.memory_was_freed: bool | None = None
        """Told at the forward after one that ran out of memory."""
        self._activations: weakref.ref[torch.Tensor] | None = None

    def __deepcopy__(self, _memo: object) -> "FakeNetwork":
        """The copies that an engine's threads have write all into one record."""
        return self

    def forward(self, sample: torch.Tensor, scale: Any = 2.0) -> Any:
        self._begin(sample)
        if len(sample) > self.most_rows:
            activations = torch.zeros(8)
            self._activations = weakref.ref(activations)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if self.loses_device:
            raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
        if bool((sample == GUILTY).any()) or (self.fails_in_batches and len(sample) > 1):
            raise ValueError("one of these samples cannot be drawn")
        return (sample * scale,) if self.output is None else self.output

    def _begin(self, sample: torch.Tensor) -> None:
        if self._activations is not None:
            self.memory_was_freed = self._activations() is None
            self._activations = None
        self.rows_per_forward.append(len(sample))
        self.samples += sample.flatten().tolist()
        self.has_begun.set()
        assert self.may_go_on.wait(PATIENCE_S)
