"""Chooses the device a worker computes on, and the number format there. Reads a setting and asks torch, no more."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom.catalogue import ModelCard
from darkroom.errors import Misconfigured

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Device:
    """`name` as torch spells it: `cuda:0`, `mps`, `cpu`."""

    name: str

    @property
    def is_cpu(self) -> bool:
        return self.name == "cpu"

    def dtype_of(self, card: ModelCard) -> "torch.dtype":
        """The card's own on a GPU. Half precision is slower than float32 on most CPUs, and some operators lack it."""
        import torch

        dtypes = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
        return torch.float32 if self.is_cpu else dtypes[card.dtype]


def choose_device(setting: str) -> Device:
    """`auto` takes CUDA, else Apple's MPS, else the CPU. Raises Misconfigured for a device that is not there."""
    import torch

    if setting == "auto":
        return Device(_best(torch.cuda.is_available(), torch.backends.mps.is_available()))
    kind, _, index = setting.partition(":")
    if kind == "cuda":
        return _cuda_device(int(index or 0), torch.cuda.device_count())
    if kind == "mps" and not torch.backends.mps.is_available():
        raise Misconfigured("DARKROOM_DEVICE=mps, but this machine has no Apple GPU that torch can use; try `auto`.")
    return Device(kind)


def _best(has_cuda: bool, has_mps: bool) -> str:
    if has_cuda:
        return "cuda:0"
    return "mps" if has_mps else "cpu"


def _cuda_device(index: int, count: int) -> Device:
    if count == 0:
        raise Misconfigured(
            "DARKROOM_DEVICE asks for CUDA, but torch sees no CUDA device here. Check `nvidia-smi` and that torch "
            "is a CUDA build, or set DARKROOM_DEVICE=auto."
        )
    if index >= count:
        raise Misconfigured(f"DARKROOM_DEVICE=cuda:{index}, but torch sees {count} CUDA device(s), counted from 0.")
    return Device(f"cuda:{index}")
