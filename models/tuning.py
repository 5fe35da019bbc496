"""Makes a model's networks faster or smaller on CUDA, as its card asks, before any lane shares them."""

from typing import TYPE_CHECKING, Any

from darkroom.catalogue import Tuning
from models.attention import choose_attention
from models.fused import fuse_projections
from models.quantization import quantize

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def tune(pipeline: "DiffusionPipeline", tuning: Tuning, capability: tuple[int, int]) -> None:
    """All but compiling, which is the worker's: it knows the batch sizes. `capability` is the GPU's, as CUDA counts it.

    Raises Misconfigured for what this network, this GPU or this machine's packages cannot do.
    """
    use_channels_last(pipeline)
    denoiser = denoiser_of(pipeline)
    if tuning.fuse_qkv:
        fuse_projections(denoiser)
    if tuning.attention:
        choose_attention(denoiser, tuning.attention)
    if tuning.quantization:
        quantize(denoiser, tuning.quantization, capability)


def denoiser_of(pipeline: "DiffusionPipeline") -> Any:
    """The network that runs at each step."""
    unet = getattr(pipeline, "unet", None)
    return unet if unet is not None else getattr(pipeline, "transformer", None)


def use_channels_last(pipeline: "DiffusionPipeline") -> None:
    """Convolutions on tensor cores are faster with channels innermost; transformers have none worth it."""
    import torch

    for name in ("unet", "vae"):
        network: Any = getattr(pipeline, name, None)
        if network is not None and _is_of_pictures(network):
            network.to(memory_format=torch.channels_last)


def _is_of_pictures(network: Any) -> bool:
    """Not of films, as the autoencoder of Qwen-Image is: its weights have five dimensions."""
    return all(parameter.ndim < 5 for parameter in network.parameters())
