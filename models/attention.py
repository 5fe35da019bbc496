"""Chooses the kernel that computes a network's attention."""

from typing import Any

from darkroom.catalogue import AttentionName
from darkroom.errors import Misconfigured


def choose_attention(network: Any, name: AttentionName) -> None:
    """Raises Misconfigured if the network has no choice, or a package is missing or does not fit this machine.

    diffusers also makes it the choice of networks that this process loads later and that name none.
    """
    processors = getattr(network, "attn_processors", {}).values()
    if not any(hasattr(processor, "_attention_backend") for processor in processors):
        raise Misconfigured(f"{type(network).__name__} knows torch's own attention only: take `attention` out.")
    try:
        network.set_attention_backend(name)
    except (RuntimeError, ImportError, ValueError) as error:
        raise Misconfigured(f"attention = {name!r} cannot be had here: {' '.join(str(error).split())}") from error
