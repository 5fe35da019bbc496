"""Stands in a lane's pipeline where a network would: looks like it, and files each call with the engine."""

import inspect
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import torch
from diffusers.utils.torch_utils import unwrap_module
from torch.utils import _pytree as pytree

from gpu_worker.engine.call import Entry
from gpu_worker.engine.calls.families import MUTATORS
from gpu_worker.engine.run_slot import RunSlot
from gpu_worker.engine.unbatchable import clash, forget_last_run, has_hooks, networks

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

# Names under which pipelines hold the networks that they call at each step.
DENOISERS = ("unet", "transformer")
STEPS = (*DENOISERS, "controlnet")


class NetworkShared(RuntimeError):
    """A pipeline would change a network for every lane that shares it."""

    def __init__(self, network: torch.nn.Module, change: str) -> None:
        name = type(network).__name__
        super().__init__(
            f"{name} is shared by all lanes, and {change} would change it under their calls. A pipeline that needs "
            "this has to take turns: name it in CHANGES_NETWORKS of gpu_worker/engine/calls/families.py."
        )


class NetworkProxy:
    """To pipelines it is the network itself: its class, its config, its device. Only calls go another way.

    What would change the network is refused: on the proxy it would be lost, on the network it would reach every lane.
    """

    _network: torch.nn.Module
    _slot: RunSlot
    _is_denoiser: bool
    _upcast_from: torch.dtype | None
    _hooked: list[torch.nn.Module]
    _entries: dict[str, Entry]

    def __init__(
        self,
        network: torch.nn.Module,
        slot: RunSlot,
        upcast_from: torch.dtype | None = None,
        *,
        is_step: bool = True,
        is_denoiser: bool = False,
    ) -> None:
        vars(self).update(
            _network=network,
            _slot=slot,
            _is_denoiser=is_denoiser,
            _upcast_from=upcast_from,
            _hooked=[module for module in network.modules() if has_hooks(module)],
            _entries={name: _entry(network, name, is_step) for name in entry_names(network)},
        )

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # Pipelines ask isinstance(unet, UNet2DConditionModel), and take their device from what is a Module.
        return type(self._network)

    def __getattr__(self, name: str) -> Any:
        entry = self._entries.get(name)
        if entry:
            return partial(self._file, entry)
        if name in MUTATORS and hasattr(self._network, name):
            return partial(self._refuse, f"{name}()")
        return getattr(self._network, name)

    def __setattr__(self, name: str, _value: object) -> None:
        self._refuse(f"setting {name}")

    def __delattr__(self, name: str) -> None:
        self._refuse(f"deleting {name}")

    def _refuse(self, change: str, *_: object, **__: object) -> None:
        raise NetworkShared(self._network, change)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._file(self._entries["forward"], *args, **kwargs)

    @property
    def entries(self) -> Collection[Entry]:
        return self._entries.values()

    @property
    def dtype(self) -> Any:
        return self._upcast_from or self._network.dtype

    @cached_property
    def _resting_device(self) -> Any:
        return self._network.device

    @property
    def device(self) -> Any:
        """Found once, where no hook moves the weights: torch looks through all modules each time."""
        return self._network.device if self._hooked else self._resting_device

    def modules(self) -> Iterator[torch.nn.Module]:
        """Those with hooks: at each run, pipelines look through all modules for these, and for nothing else."""
        return iter(self._hooked or (self._network,))

    def to(self, *args: Any, **kwargs: Any) -> "NetworkProxy":
        """Where it is already, and as it is: what SDXL asks of an autoencoder that stays upcast is both."""
        device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
        if device is not None and device.type != self.device.type:
            self._refuse(f"moving it to {device}")
        if dtype is not None and dtype not in {self.dtype, self._network.dtype}:
            self._refuse(f"casting it to {dtype}")
        return self

    def cache_context(self, *_: Any, **__: Any) -> AbstractContextManager[None]:
        """Names the guidance pass for step caches; networks that have one are not shared."""
        return nullcontext()

    def _file(self, entry: Entry, *args: Any, **kwargs: Any) -> Any:
        run = self._slot.current
        if run is None:
            raise RuntimeError(f"{entry.network} was called outside of a lane's run")
        if self._upcast_from:
            args, kwargs = _in_float32((args, kwargs))
        compute = partial(self._slot.engine.run, run, entry, args, kwargs)
        if run.reuse is None or not self._is_denoiser:
            return compute()
        run.check()
        return run.reuse.answer(entry, args, kwargs, compute)


def share_networks(pipeline: "DiffusionPipeline", slot: RunSlot) -> None:
    """Put a proxy in the place of each network of a lane's own pipeline object.

    A pipeline whose networks cannot be shared keeps them, and its runs take turns.
    """
    if reason := clash(pipeline):
        slot.engine.unbatchable.warn_of_pipeline(type(pipeline).__name__, reason)
        slot.run_one_by_one(partial(forget_last_run, pipeline))
        return
    for name, network in list(networks(pipeline)):
        # Past DiffusionPipeline's own setter, which would write the proxy into the pipeline's configuration.
        upcast_from, is_step = _keep_upcast(pipeline, name, network), name.startswith(STEPS)
        proxy = NetworkProxy(network, slot, upcast_from, is_step=is_step, is_denoiser=name.startswith(DENOISERS))
        object.__setattr__(pipeline, name, proxy)


def entry_names(network: torch.nn.Module) -> tuple[str, ...]:
    """What lanes call a network by: an autoencoder is hardly ever called itself."""
    is_autoencoder = all(callable(getattr(network, name, None)) for name in ("encode", "decode"))
    return ("forward", "encode", "decode") if is_autoencoder else ("forward",)


def _entry(network: torch.nn.Module, name: str, is_step: bool) -> Entry:
    method = getattr(network, name)
    # A module's own call, which runs its hooks, only says `*args, **kwargs`.
    run = network if name == "forward" else method
    return Entry(type(unwrap_module(network)).__name__, name, run, inspect.signature(method), is_step)


def _keep_upcast(pipeline: "DiffusionPipeline", name: str, network: torch.nn.Module) -> torch.dtype | None:
    """Casts the network once, if the pipeline would again and again. Returns the dtype that the pipeline shall see.

    SDXL's casts its autoencoder to float32 around each use, as it overflows in float16. That would change the weights
    under another lane's call. So it stays in float32, and the pipeline, told otherwise, prepares its arguments as ever.
    """
    config: Any = getattr(network, "config", None)
    if name != "vae" or not hasattr(pipeline, "upcast_vae") or not getattr(config, "force_upcast", False):
        return None
    denoiser: Any = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    dtype: torch.dtype = denoiser.dtype
    if dtype is torch.float32:
        return None
    network.to(torch.float32)  # nothing happens from the second lane on
    return dtype


def _in_float32(arguments: Any) -> Any:
    return pytree.tree_map_only(torch.Tensor, _cast, arguments)


def _cast(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
