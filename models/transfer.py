"""Copies from the CPU to a GPU that do not wait for it, while some code runs that knows no other way than to wait."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class Copies(TorchFunctionMode):
    """Holds in the thread that enters it. Costs a call of Python for each of torch's, so it is for few of them."""

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
