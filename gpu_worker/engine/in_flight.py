"""How far the engine runs ahead of the device: forwards that were launched, and are not done yet."""

from collections import deque
from typing import Any

import torch

# Forwards that may be queued on the device: one that runs, and one that is chosen when the one before it is done. One
# more would delay a cancel or a latecomer by one more step.
MOST = 2


class InFlight:
    """On a CPU, forwards are done when they return: none is ever in flight."""

    def __init__(self, device: str) -> None:
        self._is_cuda = device.startswith("cuda")
        self._events: deque[Any] = deque()

    @property
    def most(self) -> int:
        """Forwards that may be on the device still when the next one starts."""
        return MOST if self._is_cuda else 0

    def is_empty(self) -> bool:
        """Never waits; any thread may ask."""
        return all(event.query() for event in self._events.copy())

    def launched(self) -> None:
        if self._is_cuda:
            # `blocking`: whoever waits for it sleeps, and leaves the core to lanes.
            event: Any = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            event.record()
            self._events.append(event)

    def throttle(self) -> None:
        """Launching returns at once on CUDA; so wait here until few enough are ahead."""
        while len(self._events) >= MOST:
            self._events.popleft().synchronize()
