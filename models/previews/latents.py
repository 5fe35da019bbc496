"""Latents as pipelines carry them through their steps, and the same as a grid that an autoencoder knows.

Pipelines scale what an autoencoder gives, and those over transformers make a sequence of patches of it.
"""

from math import isqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def encoded(autoencoder: Any, picture: "torch.Tensor") -> "torch.Tensor":
    """What a pipeline's latents would be for this picture: (1, 3, height, width) from -1 to 1 gives (1, C, h, w)."""
    is_video = _is_video(autoencoder)
    answer = autoencoder.encode(picture.unsqueeze(2) if is_video else picture)
    latents = answer.latent_dist.mode() if hasattr(answer, "latent_dist") else answer.latents
    return scaled(autoencoder, latents.squeeze(2) if is_video else latents)


def as_grid(latents: "torch.Tensor", channels: int, aspect: float) -> "torch.Tensor":
    """(rows, C, h, w), from this or from a sequence of patches; `aspect` is the image's width over its height.

    Raises ValueError for a form that is neither.
    """
    if latents.ndim == 5:  # a film of one frame
        latents = latents.squeeze(2)
    if latents.ndim == 4 and latents.shape[1] == channels:
        return latents
    side = isqrt(latents.shape[-1] // channels)
    if latents.ndim == 3 and latents.shape[2] == channels * side**2:
        return _unpacked(latents, side, aspect)
    raise ValueError(f"latents of shape {tuple(latents.shape)} are no grid of {channels} channels")


def scaled(autoencoder: Any, latents: "torch.Tensor") -> "torch.Tensor":
    """A grid as the autoencoder gave it, as pipelines go through their steps with it."""
    if hasattr(autoencoder, "bn"):  # FLUX.2 has statistics of patches
        return _scaled_by_patch(autoencoder, latents)
    config = autoencoder.config
    scale = config.get("scaling_factor") or 1.0
    if config.get("latents_mean") is None:
        return (latents - (config.get("shift_factor") or 0.0)) * scale
    mean, std = (latents.new_tensor(config[name]).view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
    return (latents - mean) / std * scale


def _unpacked(latents: "torch.Tensor", side: int, aspect: float) -> "torch.Tensor":
    """Patches of side x side latents, row by row; within one, channels go before places. FLUX, FLUX.2, Qwen-Image."""
    rows, patches, depth = latents.shape
    high = round((patches / aspect) ** 0.5)
    if high == 0 or patches % high:
        raise ValueError(f"{patches} patches fill no grid of aspect {aspect:.3g}")
    grid = latents.view(rows, high, patches // high, depth // side**2, side, side)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(rows, depth // side**2, high * side, patches // high * side)


def _scaled_by_patch(autoencoder: Any, latents: "torch.Tensor") -> "torch.Tensor":
    from torch.nn.functional import pixel_shuffle, pixel_unshuffle

    mean = autoencoder.bn.running_mean.view(1, -1, 1, 1)
    variance = autoencoder.bn.running_var.view(1, -1, 1, 1)
    patches = pixel_unshuffle(latents, 2)
    return pixel_shuffle((patches - mean) / (variance + autoencoder.config.batch_norm_eps) ** 0.5, 2)


def _is_video(autoencoder: Any) -> bool:
    """Whether it wants a dimension for time, as Qwen-Image's does."""
    return any(parameter.ndim == 5 for parameter in autoencoder.encoder.parameters())
