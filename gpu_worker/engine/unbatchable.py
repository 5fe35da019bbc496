"""What does not batch: networks and calls that run alone, and pipelines that must not share their networks."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import structlog
import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.calls.arguments import Arguments, NotBatchable, bind, flatten
from gpu_worker.engine.calls.families import CHANGES_NETWORKS, RUNS_ALONE

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

log = structlog.get_logger()

# A batch can fail by chance, while each of its calls succeeds alone. This often, it is no chance.
FAILURES_TOGETHER = 3


class Unbatchable:
    """Remembers what does not batch, and says so once for each."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        """Held by a run that must not meet another: its pipeline's networks are not shared."""
        self._entries: set[Entry] = set()
        self._said: set[object] = set()
        self._failures: Counter[Entry] = Counter()

    def __contains__(self, entry: Entry) -> bool:
        return entry in self._entries

    def arguments(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        """A call's arguments, taken apart; None for a call that must run alone."""
        if entry in self:
            return None
        if entry.network in RUNS_ALONE:
            self.keep(entry, "its batch dimension is not the first")
            return None
        try:
            return flatten(entry.network, entry.name, bind(entry.signature, args, kwargs))
        except TypeError:
            return None  # The network itself says best what is wrong with this call.
        except NotBatchable as error:
            self.warn(entry, error)
        except Exception as error:
            # Without its words, which may be a client's.
            self.warn(entry, f"its arguments raise {type(error).__name__}")
        return None

    def keep(self, entry: Entry, reason: object) -> None:
        """From now on, this entry's calls run one by one."""
        self._entries.add(entry)
        self.warn(entry, reason)

    def warn(self, entry: Entry, reason: object) -> None:
        """A single call that has to run alone; others of its entry may be different."""
        if self._is_news(entry):
            log.warning("network.not_batchable", network=entry.network, entry=entry.name, reason=str(reason))

    def warn_of_pipeline(self, pipeline: str, reason: str) -> None:
        """Its runs take turns."""
        if self._is_news((pipeline, reason)):
            log.warning("pipeline.not_batchable", pipeline=pipeline, reason=reason)

    def failed_only_together(self, entry: Entry, error: Exception) -> None:
        self._failures[entry] += 1
        if self._failures[entry] == FAILURES_TOGETHER:
            self.keep(entry, f"batches fail with {type(error).__name__}, and each call alone succeeds")

    def _is_news(self, what: object) -> bool:
        is_news = what not in self._said
        self._said.add(what)
        return is_news


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
