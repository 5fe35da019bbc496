"""A number that a device is still computing."""

from typing import Any

import torch


class Reading:
    """On its way to the CPU from when it is made; who asks for it soon waits, who asks a forward later does not."""

    def __init__(self, number: torch.Tensor) -> None:
        self._number, self._arrived = number, None
        if number.is_cuda:
            self._number = torch.empty_like(number, device="cpu", pin_memory=True).copy_(number, non_blocking=True)
            # torch has no types for its events.
            arrived: Any = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            arrived.record(torch.cuda.current_stream(number.device))
            self._arrived = arrived

    def value(self) -> float:
        if self._arrived is not None:
            self._arrived.synchronize()
        return float(self._number)
