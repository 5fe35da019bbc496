"""Tells whether two tensors that a whole batch would share hold the same. Looks into each tensor once."""

import hashlib
import threading
from typing import Any

import torch
from torch.utils.weak import WeakIdKeyDictionary

# torch gives it no annotations.
_known: Any = WeakIdKeyDictionary()
_lock = threading.Lock()


def fingerprint(tensor: torch.Tensor) -> bytes:
    """A digest of the tensor's content.

    Reading it waits for the device, so it is kept as long as the tensor lives: pipelines make their position
    ids once, and pass the same object at every step.
    """
    with _lock:
        known: bytes | None = _known.get(tensor)
    if known is None:
        content = tensor.detach().to("cpu", torch.float64).numpy().tobytes()
        known = hashlib.blake2b(content, digest_size=16).digest()
        with _lock:
            _known[tensor] = known
    return known
