"""One matrix product for queries, keys and values, where diffusers has it for a network."""

from typing import Any

from darkroom.errors import Misconfigured

# The projections that diffusers puts together, in the order in which it does.
PARTS = {
    "to_qkv": ("to_q", "to_k", "to_v"),
    "to_kv": ("to_k", "to_v"),
    "to_added_qkv": ("add_q_proj", "add_k_proj", "add_v_proj"),
}


def fuse_projections(network: Any) -> None:
    """Raises Misconfigured for a network without such projections.

    diffusers keeps the projections that it put together, a fifth of some networks' weights. Here they become
    views of the new ones, and cost nothing.
    """
    if not hasattr(network, "fuse_qkv_projections"):
        raise Misconfigured(f"{type(network).__name__} has no projections to fuse: set fuse_qkv = false.")
    network.fuse_qkv_projections()
    for module in network.modules():
        for whole, parts in PARTS.items():
            if fused := getattr(module, whole, None):
                _share_memory(fused, [getattr(module, part) for part in parts])


def _share_memory(fused: Any, parts: list[Any]) -> None:
    start = 0
    for part in parts:
        end = start + part.out_features
        part.weight.data = fused.weight.data[start:end]
        if part.bias is not None and fused.bias is not None:
            part.bias.data = fused.bias.data[start:end]
        start = end
