"""Stands in a lane's pipeline where a network would: looks like it, and files each call with the engine."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from gpu_worker.batching.call import Entry, LanePass
from gpu_worker.batching.engine import Engine
from gpu_worker.batching.families import ENTRIES

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


class Seat:
    """A lane's seat at the engine: holds the pass of its current run."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.current: LanePass | None = None

    @contextmanager
    def taken(self, lane_pass: LanePass) -> Iterator[None]:
        self.current = lane_pass
        try:
            yield
        finally:
            self.current = None
            self.engine.leave(lane_pass)


class NetworkProxy:
    """To pipelines it is the network itself: its class, its config, its device. Only calls go another way."""

    def __init__(self, network: torch.nn.Module, seat: Seat) -> None:
        self._network = network
        self._seat = seat

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # Pipelines ask isinstance(unet, UNet2DConditionModel), and take their device from what is a Module.
        return type(self._network)

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._network, name)
        if name not in ENTRIES.get(type(self._network).__name__, ()):
            return own
        return partial(self._file, Entry(type(self._network).__name__, name, run=own, signature_of=own))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        network = self._network
        entry = Entry(type(network).__name__, "forward", run=network, signature_of=network.forward)
        return self._file(entry, *args, **kwargs)

    def cache_context(self, *_: Any, **__: Any) -> AbstractContextManager[None]:
        """Names the guidance pass for step caches, which live in the network, and which lanes therefore don't use."""
        return nullcontext()

    def _file(self, entry: Entry, *args: Any, **kwargs: Any) -> Any:
        if self._seat.current is None:
            raise RuntimeError(f"{entry.network} was called outside of a lane's run")
        return self._seat.engine.run(self._seat.current, entry, args, kwargs)


def share_networks(pipeline: "DiffusionPipeline", seat: Seat) -> None:
    """Put a proxy in the place of each network of a lane's own pipeline object."""
    for name, component in pipeline.components.items():
        if isinstance(component, torch.nn.Module):
            # Past DiffusionPipeline's own setter, which would write the proxy into the pipeline's configuration.
            object.__setattr__(pipeline, name, NetworkProxy(component, seat))
