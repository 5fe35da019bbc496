"""The colour of each latent: a linear map from a model's latents to RGB, learnt from its own autoencoder.

That a linear map goes far was found for Stable Diffusion's latents, and holds for every autoencoder since that keeps
the picture's layout. Fitted where it is used, it needs no table of models and suits one that was trained anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.previews.latents import as_grid, encoded

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

Array = npt.NDArray[np.float32]

PICTURES = 8


@dataclass(frozen=True)
class LatentColours:
    """`weights`: (C, 3), `offset`: (3,). Colours are from 0 to 1."""

    weights: Array
    offset: Array

    def pictures(self, latents: "torch.Tensor", aspect: float) -> "list[Image]":
        """One for each row, a pixel for each latent. Raises ValueError for latents that are no grid."""
        from PIL import Image

        grid = as_grid(latents, len(self.weights), aspect).float().cpu().numpy()
        # numpy, as torch would give each thread that works here a team of its own.
        colours = np.einsum("nchw,cd->nhwd", grid, self.weights) + self.offset
        levels = (np.nan_to_num(colours).clip(0, 1) * 255).round().astype(np.uint8)
        return [Image.fromarray(picture) for picture in levels]


def fit_colours(autoencoder: Any, side: int) -> LatentColours:
    """By least squares over coloured pictures of side x side pixels. Raises what the autoencoder raises."""
    import torch

    latents, colours = [], []
    with torch.no_grad():
        for picture in _pictures(side):
            grid = encoded(autoencoder, (2 * picture - 1).to(autoencoder.device, autoencoder.dtype)).float().cpu()
            small = torch.nn.functional.interpolate(picture, grid.shape[-2:], mode="area")
            latents.append(grid[0].flatten(1).T.numpy())
            colours.append(small[0].flatten(1).T.numpy())
    found = np.concatenate(latents)
    with_offset = np.concatenate([found, np.ones_like(found[:, :1])], axis=1)
    solution = np.linalg.lstsq(with_offset, np.concatenate(colours), rcond=1e-4)[0].astype(np.float32)
    return LatentColours(solution[:-1], solution[-1])


def _pictures(side: int) -> "Iterator[torch.Tensor]":
    """Patches of random colours, coarse and fine, hard and soft, some with a grain over them. (1, 3, side, side)."""
    import torch

    draw = torch.Generator().manual_seed(0)
    for index in range(PICTURES):
        cells = max(2, side // (8, 16, 32, 64)[index // 2])
        mosaic = torch.rand(1, 3, cells, cells, generator=draw)
        mode = ("nearest", "bicubic")[index % 2]
        picture = torch.nn.functional.interpolate(mosaic, (side, side), mode=mode)
        grain = 0.1 * torch.randn(1, 1, side, side, generator=draw) if index % 4 == 0 else 0.0
        yield (picture + grain).clamp(0, 1)
