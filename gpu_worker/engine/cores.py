"""How a CPU's cores are divided: all for one forward, or some for each of several forwards at once.

Each of these has copies of the networks, which share their weights: what a network keeps of a call then never meets
another thread's call.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.unbatchable import has_hooks

# A lone job's forward may be so much slower than it could be. Less is noise.
HARDLY_SLOWER = 1.1
# Python runs in one thread at a time, and starts a network's operations one by one: minilab's in 5 ms of the 20 that a
# lone job's forward takes on one core. More forwards at once would wait for each other. Beyond it, more processes help.
MOST_AT_ONCE = 4


@dataclass(frozen=True)
class Division:
    threads: int
    """Of each forward."""
    forwards: int
    """At once."""


def divide(seconds: Callable[[int], float], cores: int) -> Division:
    """The most forwards at once of which each takes hardly longer for a lone job than with any number of threads tried.

    The fewer threads one forward has, the less they wait for each other: so these are the most images per second that
    cost a lone job nothing. `seconds(threads)` times its forward. Tried are all cores, half of them, a quarter …, until
    it has become slower.
    """
    taken = {cores: seconds(cores)}
    threads = cores
    while threads > 1:
        threads //= 2
        taken[threads] = seconds(threads)
        if taken[threads] > HARDLY_SLOWER * min(taken.values()):
            break
    good = [threads for threads, each in taken.items() if each <= HARDLY_SLOWER * min(taken.values())]
    enough = [threads for threads in good if cores // threads <= MOST_AT_ONCE]
    threads = min(enough) if enough else max(good)
    return Division(threads, min(MOST_AT_ONCE, cores // threads))


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
