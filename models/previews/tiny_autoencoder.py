"""Draws previews with a tiny copy of a model's autoencoder (TAESD by Ollin Boer Bohan, and its kin)."""

import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.errors import WeightsMissing
from models.previews.latents import as_grid
from models.weights import cached_snapshot

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

# Previews are no larger; less is copied from the device.
LONGEST_SIDE = 256


class TinyAutoencoder:
    """On CUDA it works in a stream of its own, so that it waits for no step and no step for it."""

    def __init__(self, network: Any) -> None:
        import torch

        self._network = network
        is_cuda = network.device.type == "cuda"
        # torch has no types for its streams.
        self._stream: Any = torch.cuda.Stream(network.device) if is_cuda else None  # type: ignore[no-untyped-call]

    def pictures(self, latents: "torch.Tensor", aspect: float) -> "list[Image]":
        """One for each row. Raises ValueError for latents that are no grid."""
        import torch
        from PIL import Image

        with torch.no_grad(), torch.cuda.stream(self._stream) if self._stream else nullcontext():
            levels = self._levels(as_grid(latents, self._network.config.latent_channels, aspect)).cpu()
        return [Image.fromarray(picture) for picture in levels.numpy()]

    def _levels(self, grid: "torch.Tensor") -> "torch.Tensor":
        """(rows, height, width, 3), from 0 to 255."""
        import torch

        config = self._network.config
        grid = grid.to(self._network.device, self._network.dtype) / config.scaling_factor + config.shift_factor
        # One by one: eight large images at once could take the memory of a batch.
        decoded = [self._network.decode(row).sample.float() for row in grid.chunk(len(grid))]
        scale = min(1.0, LONGEST_SIDE / max(decoded[0].shape[-2:]))
        size = [max(1, round(side * scale)) for side in decoded[0].shape[-2:]]
        small = torch.cat([torch.nn.functional.interpolate(picture, size, mode="area") for picture in decoded])
        return ((small + 1) * 127.5).nan_to_num().clamp(0, 255).round().byte().permute(0, 2, 3, 1)


def load_tiny(repository: str, *, device: str, dtype: "torch.dtype", weights_dir: Path | None) -> TinyAutoencoder:
    """Raises WeightsMissing with the command to run."""
    from diffusers import AutoencoderTiny

    folder = _folder(repository, weights_dir)
    if folder is None:
        raise WeightsMissing(f"No weights of {repository} on this machine. {_how_to_get(repository, weights_dir)}")
    try:
        network = AutoencoderTiny.from_pretrained(
            folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise WeightsMissing(f"{folder} holds no {repository}. {_how_to_get(repository, weights_dir)}") from error
    return TinyAutoencoder(network.to(device).eval())


def _folder(repository: str, weights_dir: Path | None) -> Path | None:
    if weights_dir is not None and _own_folder(repository, weights_dir).is_dir():
        return _own_folder(repository, weights_dir)
    return cached_snapshot(repository, None)


def _own_folder(repository: str, weights_dir: Path) -> Path:
    return weights_dir / repository.rpartition("/")[2]


def _how_to_get(repository: str, weights_dir: Path | None) -> str:
    words = ["hf", "download", repository, "--include", "config.json", "--include", "*.safetensors"]
    words += ["--local-dir", str(_own_folder(repository, weights_dir))] if weights_dir else []
    return f"Run: {shlex.join(words)}"
