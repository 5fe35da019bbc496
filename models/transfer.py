"""Copies between the CPU and a GPU that nobody waits for who need not.

All lanes and the engine work on the device's one default stream, in the order in which they ask. A copy that waits
would wait for all that they asked before, several forwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
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
    """Something on its way to the CPU; already there if nothing says when it `arrived`."""

    result: Any
    arrived: Any = None

    def wait(self) -> Any:
        """For this copy alone, not for what the device was asked after it."""
        if self.arrived is not None:
            self.arrived.synchronize()
        return self.result


def snapshot(tensor: torch.Tensor) -> Landing:
    """The tensor as it is now, whatever is written into it later. Who asks for it soon waits."""
    if not tensor.is_cuda:
        return Landing(tensor.detach().clone())
    return Landing(_pinned_copy(tensor.detach()), _mark(torch.cuda.current_stream(tensor.device)))


class Descent:
    """Brings results to the CPU on a stream of their own, beside the next forwards. Only for CUDA."""

    def __init__(self, device: torch.device) -> None:
        self._stream: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def begin(self, result: Any) -> Landing:
        """To be called in the engine's thread, after the forward that computes the result was launched."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            copies = pytree.tree_map_only(torch.Tensor, self._copy, result)
            return Landing(copies, _mark(self._stream))

    def _copy(self, tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_cuda:
            return tensor
        host = _pinned_copy(tensor)
        # Else its memory could be given to the next forward before it is read.
        tensor.record_stream(self._stream)
        return host


class Copies(TorchFunctionMode):
    """For code that knows no other way than to wait. Holds in the thread that enters it.

    Costs a call of Python for each of torch's, so it is for few of them.
    """

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if function is torch.Tensor.to and _goes_to_gpu(args[0], (*args[1:], *named.values())):
            return args[0].pin_memory().to(*args[1:], **{**named, "non_blocking": True})
        if function is torch.linalg.solve:
            # The same, but for a look at whether it could be solved, which waits for the device.
            return torch.linalg.solve_ex(*args, **named).result
        return function(*args, **named)


def _goes_to_gpu(tensor: Any, targets: Sequence[Any]) -> bool:
    return tensor.device.type == "cpu" and any(_is_gpu(target) for target in targets)


def _is_gpu(target: Any) -> bool:
    return isinstance(target, str | torch.device) and torch.device(target).type == "cuda"


def _pinned_copy(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(tensor, device="cpu", pin_memory=True).copy_(tensor, non_blocking=True)


def _mark(stream: Any) -> Any:
    # torch has no types for its events. `blocking`: whoever waits for it sleeps, and leaves the core to lanes.
    event: Any = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    event.record(stream)
    return event
