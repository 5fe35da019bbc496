"""Autoencoders that a pipeline casts to float32 around each use, as SDXL's does because its own overflows in float16.

A cast would change the weights under another lane's call. So such an autoencoder stays in float32 for good, and
pipelines are told otherwise: they then prepare its arguments as ever.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch.utils import _pytree as pytree

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def keep_upcast(pipeline: "DiffusionPipeline", name: str, network: torch.nn.Module) -> torch.dtype | None:
    """Casts the network once, if the pipeline would again and again. Returns the dtype that the pipeline shall see."""
    config: Any = getattr(network, "config", None)
    if name != "vae" or not hasattr(pipeline, "upcast_vae") or not getattr(config, "force_upcast", False):
        return None
    denoiser: Any = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    dtype: torch.dtype = denoiser.dtype
    if dtype is torch.float32:
        return None
    network.to(torch.float32)  # nothing happens from the second lane on
    return dtype


def in_float32(arguments: Any) -> Any:
    return pytree.tree_map_only(torch.Tensor, _cast, arguments)


def _cast(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
