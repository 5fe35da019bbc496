"""Copies of a network that share its weights: what a network keeps of a call then never meets another thread's call."""

import copy
from collections.abc import Callable
from typing import Any

import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.clashes import has_hooks


class NotCopied(Exception):
    """This network cannot be run by several threads."""


class Originals:
    """For the engine's first thread: the networks themselves."""

    def holds(self, _entry: Entry) -> bool:
        return True

    def run_of(self, entry: Entry) -> Callable[..., Any]:
        return entry.run

    def add(self, _entry: Entry) -> None:
        """Holds every network as it is."""


class Replicas:
    """For a further thread: copies of its own, of the networks that can be copied."""

    def __init__(self) -> None:
        self._networks: dict[int, torch.nn.Module] = {}
        self._runs: dict[Entry, Callable[..., Any]] = {}

    def holds(self, entry: Entry) -> bool:
        return entry in self._runs

    def run_of(self, entry: Entry) -> Callable[..., Any]:
        return self._runs[entry]

    def add(self, entry: Entry) -> None:
        """Nothing may run this network meanwhile. Raises NotCopied."""
        network = entry.run if isinstance(entry.run, torch.nn.Module) else getattr(entry.run, "__self__", None)
        if not isinstance(network, torch.nn.Module):
            raise NotCopied("is no network's method")
        if id(network) not in self._networks:
            self._networks[id(network)] = replica(network)
        copied = self._networks[id(network)]
        self._runs[entry] = copied if entry.run is network else getattr(copied, entry.name)


def replica(network: torch.nn.Module) -> torch.nn.Module:
    """A network of its own modules and buffers, with the same parameters. Takes milliseconds and hardly any memory.

    Raises NotCopied.
    """
    if any(has_hooks(module) for module in network.modules()):
        raise NotCopied("has hooks")
    shared = {id(parameter): parameter for parameter in network.parameters()}
    try:
        return copy.deepcopy(network, shared)
    except Exception as error:  # whatever a part of it says to being copied: then it is not
        raise NotCopied(f"cannot be copied: {type(error).__name__}") from error
