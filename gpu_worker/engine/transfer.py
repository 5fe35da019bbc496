"""Copies between the CPU and a GPU that nobody waits for who need not.

All lanes and the engine work on the device's one default stream, in the order in which they ask. A copy that waits
would wait for all that they asked before, several forwards.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree


def on_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor itself if it is there; from the CPU to a GPU by way of pinned memory, without waiting."""
    if tensor.device.type == device.type:
        return tensor
    if device.type != "cuda":
        return tensor.to(device)
    # torch keeps the pinned copy until the device is done with it.
    return tensor.pin_memory().to(device, non_blocking=True)


def all_on_device(arguments: Any, device: torch.device) -> Any:
    """A call's arguments: lanes keep timesteps on the CPU."""
    if device.type == "cpu":
        return arguments
    return pytree.tree_map_only(torch.Tensor, lambda tensor: on_device(tensor, device), arguments)


@dataclass(frozen=True)
class Landing:
    """A result on its way to the CPU."""

    result: Any
    arrived: Any

    def wait(self) -> Any:
        """For this copy alone, not for forwards that came after it."""
        self.arrived.synchronize()
        return self.result


class Descent:
    """Brings results to the CPU on a stream of their own, beside the next forwards. Only for CUDA."""

    def __init__(self, device: torch.device) -> None:
        self._stream: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def begin(self, result: Any) -> Landing:
        """To be called in the engine's thread, after the forward that computes the result was launched."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            copies = pytree.tree_map_only(torch.Tensor, self._copy, result)
            arrived: Any = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            arrived.record(self._stream)
        return Landing(copies, arrived)

    def _copy(self, tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_cuda:
            return tensor
        host = torch.empty_like(tensor, device="cpu", pin_memory=True)
        host.copy_(tensor, non_blocking=True)
        # Else its memory could be given to the next forward before it is read.
        tensor.record_stream(self._stream)
        return host
