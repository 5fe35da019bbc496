"""Trains minilab's autoencoder: 4× smaller, 4 channels, of which three begin as the picture itself, shrunk.

That makes latents a small picture with notes about its edges: easy for a small denoiser. 8× smaller cannot hold in 4
channels where an edge runs, and the stock inpainting pipeline takes 4 (or 9) and no other number.
"""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from models.minilab.recipe.checkpoint import Checkpoint
from models.minilab.recipe.optimizers import Rates, new_optimizers
from models.minilab.recipe.pictures import training_picture
from models.minilab.recipe.render import render

log = structlog.get_logger()

SHRINK = 4
CHANNELS = 4
PICTURE_CHANNELS = 3
# Standard deviation of the others, where the picture's is 1.
NOTES_DEVIATION = 0.6
CROP = 64
BATCH = 16
INNER_RATE, OUTER_RATE = 4e-3, 2e-3
KL_WEIGHT = 1e-6
# From full to least over the first third: colours come first, then edges may use all channels.
PICTURE_WEIGHT, LEAST_PICTURE_WEIGHT = 0.5, 0.03


def new_autoencoder() -> Any:
    # diffusers gives its classes no types.
    autoencoder: Any = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        latent_channels=CHANNELS,
        sample_size=128,
        block_out_channels=(16, 32, 64),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=8,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )
    # Latents begin almost without noise: otherwise they stay blurred for a long time.
    with torch.no_grad():
        autoencoder.quant_conv.bias[CHANNELS:] = -8.0
        autoencoder.quant_conv.weight[CHANNELS:] = 0.0
    return autoencoder


def train_autoencoder(folder: Path, steps: int, device: torch.device) -> Any:
    """Resumes where it was stopped. The result's latents have mean 0 and the deviations named above."""
    torch.manual_seed(0)
    autoencoder = new_autoencoder().to(device).train()
    optimizers = new_optimizers(autoencoder, INNER_RATE, OUTER_RATE)
    rates = Rates(optimizers)
    checkpoint = Checkpoint(folder / "autoencoder.pt", autoencoder, *optimizers)
    first = checkpoint.load()
    torch.manual_seed(first)
    crops = training_crops(seed=first)
    for step in range(first, steps):
        rates.set(rate_at(step, steps))
        picture_weight = max(LEAST_PICTURE_WEIGHT, PICTURE_WEIGHT * (1 - 3 * step / steps))
        loss = _step(autoencoder, next(crops).to(device), optimizers, picture_weight)
        if step % 100 == 99:
            log.info("autoencoder.step", step=step + 1, of=steps, loss=round(float(loss), 4), psnr=psnr(autoencoder))
            checkpoint.save(step + 1)
    normalise(autoencoder.eval(), next(training_batches(seed=1, size=256)).to(device))
    return autoencoder


def rate_at(step: int, steps: int, warm_up: int = 50) -> float:
    """Of the learning rate: up at once, flat for a third, then a cosine to 0."""
    flat = 0.3
    share = max(0.0, (step / steps - flat) / (1 - flat))
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * share))


def training_batches(seed: int, size: int) -> Iterator[Tensor]:
    """`(size, 3, 128, 128)` from -1 to 1."""
    chance = random.Random(seed)
    while True:
        pictures = [np.asarray(render(training_picture(chance), chance)) for _ in range(size)]
        yield torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def training_crops(seed: int) -> Iterator[Tensor]:
    """`(BATCH, 3, CROP, CROP)`: of three chance crops of a picture the most varied, sometimes in colours of others."""
    chance = random.Random(seed)
    for pictures in training_batches(seed, BATCH):
        yield torch.stack([_recoloured(_varied_crop(picture, chance), chance) for picture in pictures])


def _varied_crop(picture: Tensor, chance: random.Random) -> Tensor:
    corners = [(chance.randrange(0, 128 - CROP + 1), chance.randrange(0, 128 - CROP + 1)) for _ in range(3)]
    crops = [picture[:, y : y + CROP, x : x + CROP] for x, y in corners]
    return max(crops, key=lambda crop: float(crop.std(dim=(1, 2)).sum()))


def _recoloured(crop: Tensor, chance: random.Random) -> Tensor:
    if chance.random() < 0.2:
        crop = crop[chance.sample(range(3), 3)]
    return crop.flip(-1) if chance.random() < 0.5 else crop


def _step(autoencoder: Any, pictures: Tensor, optimizers: list[torch.optim.Optimizer], picture_weight: float) -> Tensor:
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    with torch.autocast(pictures.device.type, torch.bfloat16):
        posterior = autoencoder.encode(pictures).latent_dist
        decoded = autoencoder.decode(posterior.sample()).sample
    loss: Any = reconstruction_loss(decoded.float(), pictures)
    # The channels' own unit is free until `normalise`; 1.5 gives the colours room beside the noise.
    shrunk = 1.5 * functional.avg_pool2d(pictures, SHRINK)
    loss = loss + picture_weight * functional.l1_loss(posterior.mean[:, :PICTURE_CHANNELS].float(), shrunk)
    loss = loss + KL_WEIGHT * posterior.kl().mean()
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(autoencoder.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return torch.as_tensor(loss.detach())


def reconstruction_loss(decoded: Tensor, pictures: Tensor) -> Tensor:
    """L1 and half the squared error of pixels, and L1 of neighbours' differences, which is what keeps edges crisp."""
    loss = functional.l1_loss(decoded, pictures) + 0.5 * functional.mse_loss(decoded, pictures)
    for dim in (-1, -2):
        loss = loss + functional.l1_loss(decoded.diff(dim=dim), pictures.diff(dim=dim))
    return loss


@torch.no_grad()
def psnr(autoencoder: Any) -> float:
    """Of 32 pictures' round trip, in dB; peak 2."""
    pictures = next(training_batches(seed=2, size=32)).to(autoencoder.device)
    with torch.autocast(pictures.device.type, torch.bfloat16):
        decoded = autoencoder.decode(autoencoder.encode(pictures).latent_dist.mode()).sample
    error = functional.mse_loss(decoded.float().clamp(-1, 1), pictures)
    return round(10 * math.log10(4 / float(error)), 2)


@torch.no_grad()
def normalise(autoencoder: Any, pictures: Tensor) -> None:
    """Folds an affine map into quant_conv and post_quant_conv: the picture's channels of `pictures` get mean 0 and
    deviation 1, the notes are turned to their principal axes and get deviation NOTES_DEVIATION together."""
    latents = torch.cat([autoencoder.encode(part).latent_dist.mode() for part in torch.split(pictures, 32)])
    values = latents.permute(1, 0, 2, 3).flatten(1).double()
    mean = values.mean(1)
    turn = torch.eye(CHANNELS, dtype=torch.float64, device=values.device)
    turn[:PICTURE_CHANNELS] /= values[:PICTURE_CHANNELS].std(1).mean()
    notes = values[PICTURE_CHANNELS:] - mean[PICTURE_CHANNELS:, None]
    _, axes = torch.linalg.eigh(notes @ notes.T / notes.shape[1])
    scale = NOTES_DEVIATION / notes.std(1).square().mean().sqrt()
    turn[PICTURE_CHANNELS:, PICTURE_CHANNELS:] = scale * axes.T
    _fold(autoencoder, turn, mean)


def _fold(autoencoder: Any, turn: Tensor, mean: Tensor) -> None:
    """latents become turn · (latents - mean)."""
    into, out = autoencoder.quant_conv, autoencoder.post_quant_conv
    weight, bias = into.weight[:CHANNELS, :, 0, 0].double(), into.bias[:CHANNELS].double()
    back = torch.linalg.inv(turn)
    old = out.weight[:, :, 0, 0].double()
    into.weight[:CHANNELS, :, 0, 0] = (turn @ weight).to(into.weight.dtype)
    into.bias[:CHANNELS] = (turn @ (bias - mean)).to(into.bias.dtype)
    out.weight[:, :, 0, 0] = (old @ back).to(out.weight.dtype)
    out.bias.copy_((out.bias.double() + old @ mean).to(out.bias.dtype))
    # The noise's own size is not used after training.
    into.bias[CHANNELS:] = -10.0
