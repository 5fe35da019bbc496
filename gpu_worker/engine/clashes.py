"""Tells which pipelines must not share networks: those whose networks keep something from call to call."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from gpu_worker.engine.calls.families import CHANGES_NETWORKS

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def clash(pipeline: "DiffusionPipeline") -> str | None:
    """Why this pipeline's runs must not meet, if so.

    Hooks that only move or cast weights (group offload, layerwise casting) are no reason: calls of a network that has
    them all run in one thread.
    """
    if getattr(pipeline, "_all_hooks", None):
        return "CPU offload takes every network off the device at the end of each run"
    for part, reason in CHANGES_NETWORKS.items():
        if part in type(pipeline).__name__:
            return reason
    for name, network in networks(pipeline):
        if cache := _step_cache(network):
            return f"{cache} keeps the last step of a run inside the {name}"
    return None


def networks(pipeline: "DiffusionPipeline") -> Iterator[tuple[str, torch.nn.Module]]:
    for name, component in pipeline.components.items():
        if isinstance(component, torch.nn.Module):
            yield name, component


def forget_last_run(pipeline: "DiffusionPipeline") -> None:
    """Pipelines do it at the end of a run, but not of one that was canceled."""
    for _, network in networks(pipeline):
        if hasattr(network, "_reset_stateful_cache"):
            reset: Any = network._reset_stateful_cache
            reset()


def has_hooks(module: torch.nn.Module) -> bool:
    """Of accelerate or of diffusers: they move, cast or remember, and hold the network that they were made for."""
    registry: Any = getattr(module, "_diffusers_hook", None)
    return hasattr(module, "_hf_hook") or bool(registry and registry.hooks)


def _step_cache(network: torch.nn.Module) -> str | None:
    for module in network.modules():
        registry: Any = getattr(module, "_diffusers_hook", None)
        for hook in registry.hooks.values() if registry else ():
            if hook._is_stateful:
                return type(hook).__name__
    return None
