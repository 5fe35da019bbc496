"""Chooses the device a worker computes on, and the number format there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom.catalogue import ModelCard
from darkroom.errors import Misconfigured

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Hardware:
    """What torch can use on this machine."""

    cuda_devices: int
    has_mps: bool


@dataclass(frozen=True)
class Device:
    """`name` as torch spells it: `cuda:0`, `mps`, `cpu`."""

    name: str

    def dtype_of(self, card: ModelCard) -> "torch.dtype":
        """The card's own on a GPU. Half precision is slower than float32 on most CPUs, and some operators lack it."""
        import torch

        dtypes = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
        return torch.float32 if self.name == "cpu" else dtypes[card.dtype]


def choose_device(setting: str, hardware: Hardware | None = None) -> Device:
    """`auto` takes CUDA, else Apple's MPS, else the CPU. Raises Misconfigured for a device that is not there."""
    hardware = hardware or this_machine()
    kind, _, index = setting.partition(":")
    if kind == "auto":
        return _best(hardware)
    if kind == "cuda":
        return _cuda_device(int(index or 0), hardware.cuda_devices)
    if kind == "mps" and not hardware.has_mps:
        raise Misconfigured("DARKROOM_DEVICE=mps, but torch sees no Apple GPU here; `auto` takes what there is.")
    return Device(kind)


def capability_of(device: str) -> tuple[int, int]:
    """A CUDA device's compute capability: (9, 0) is a Hopper."""
    import torch

    return torch.cuda.get_device_capability(device)


def this_machine() -> Hardware:
    import torch

    return Hardware(cuda_devices=torch.cuda.device_count(), has_mps=torch.backends.mps.is_available())


def _best(hardware: Hardware) -> Device:
    if hardware.cuda_devices:
        return Device("cuda:0")
    return Device("mps" if hardware.has_mps else "cpu")


def _cuda_device(index: int, count: int) -> Device:
    if count == 0:
        raise Misconfigured(
            "DARKROOM_DEVICE asks for CUDA, but torch sees no CUDA device here. Check `nvidia-smi`, and that torch "
            "is a CUDA build; `auto` takes what there is."
        )
    if index >= count:
        raise Misconfigured(f"DARKROOM_DEVICE=cuda:{index}, but torch sees {count} CUDA device(s), counted from 0.")
    return Device(f"cuda:{index}")
