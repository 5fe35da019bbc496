"""Trains minilab's denoiser and its text encoder together, on latents of the autoencoder and captions drawn anew.

v-prediction (Salimans and Ho 2022, "Progressive Distillation", section 4) with zero terminal signal-to-noise ratio
(Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from models.minilab.recipe.autoencoder import CHANNELS, PICTURE_CHANNELS, rate_at
from models.minilab.recipe.captions import caption
from models.minilab.recipe.checkpoint import Checkpoint
from models.minilab.recipe.optimizers import Rates, new_optimizers
from models.minilab.recipe.pictures import Picture
from models.minilab.recipe.words import LONGEST

log = structlog.get_logger()

BATCH = 64
EMA_DECAY = 0.999
# Where something is drawn a step counts this much more than on plain background, which is most of every picture, and at
# its edges, where the outline is decided, more again.
DRAWN_WEIGHT, EDGE_WEIGHT = 2.0, 2.0
DRAWN_ABOVE = 0.25

SCHEDULE: dict[str, Any] = {
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}


@dataclass(frozen=True)
class Samples:
    """Pictures, and their latents `(n, 4, 32, 32)` in half precision."""

    pictures: list[Picture]
    latents: Tensor


class Networks(nn.Module):
    def __init__(self, tokens: int, end_token: int) -> None:
        super().__init__()
        self.unet = new_unet()
        self.text_encoder = new_text_encoder(tokens, end_token)

    def forward(self, noisy: Tensor, timesteps: Tensor, token_ids: Tensor) -> Tensor:
        words = self.text_encoder(token_ids).last_hidden_state
        velocity: Tensor = self.unet(noisy, timesteps, encoder_hidden_states=words).sample
        return velocity


def new_unet() -> Any:
    unet: Any = UNet2DConditionModel(
        sample_size=32,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        layers_per_block=1,
        block_out_channels=(32, 64, 96),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        norm_num_groups=16,
        attention_head_dim=(1, 2, 3),
        cross_attention_dim=128,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
        use_linear_projection=True,
    )
    # Flash attention's backward was a third of a step on CPU.
    unet.set_attn_processor(AttnProcessor())
    nn.init.zeros_(unet.conv_out.weight)
    return unet


def new_text_encoder(tokens: int, end_token: int) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=tokens,
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=LONGEST,
            projection_dim=128,
            hidden_act="gelu",
            bos_token_id=end_token - 1,
            eos_token_id=end_token,
            pad_token_id=end_token,
            attn_implementation="eager",  # type: ignore[call-arg]
        )
    )


class Training:
    """Networks, their moving average, optimizers; `run` goes on from the last checkpoint."""

    def __init__(self, folder: Path, samples: Samples, tokenizer: CLIPTokenizer, device: torch.device) -> None:
        torch.manual_seed(0)
        self._samples = samples
        self._tokenizer = tokenizer
        self._device = device
        end = int(tokenizer.eos_token_id)
        self.networks = Networks(len(tokenizer), end).to(device).train()
        averaging = torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY)  # type: ignore[no-untyped-call]
        self.average = torch.optim.swa_utils.AveragedModel(self.networks, multi_avg_fn=averaging)
        self._scheduler: Any = DDPMScheduler(**SCHEDULE)
        self.optimizers = new_optimizers(self.networks, inner_rate=3e-3, outer_rate=2e-3)
        self._rates = Rates(self.optimizers)
        self._checkpoint = Checkpoint(folder / "denoiser.pt", self.networks, self.average, *self.optimizers)

    def averaged(self) -> Networks:
        """What is worth keeping."""
        averaged: Networks = self.average.module  # type: ignore[assignment]
        return averaged

    def run(self, steps: int) -> None:
        first = self._checkpoint.load()
        torch.manual_seed(first)
        chance = random.Random(first)
        loss = torch.zeros((), device=self._device)
        for step in range(first, steps):
            self._rates.set(rate_at(step, steps, warm_up=200))
            loss = loss.lerp(self._step(chance), 0.01 if step > first else 1.0)
            if step % 250 == 249:
                log.info("denoiser.step", step=step + 1, of=steps, loss=round(float(loss), 4))
                self._checkpoint.save(step + 1)

    def _step(self, chance: random.Random) -> Tensor:
        latents, token_ids = self._batch(chance)
        loss = self._loss(latents, token_ids, stratified_timesteps(len(latents)).to(self._device))
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update_parameters(self.networks)
        return loss.detach()

    def _batch(self, chance: random.Random) -> tuple[Tensor, Tensor]:
        chosen = [chance.randrange(len(self._samples.pictures)) for _ in range(BATCH)]
        captions = [caption(self._samples.pictures[index], chance) for index in chosen]
        tokens = self._tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
        latents = self._samples.latents[chosen].to(self._device).float()
        return latents, tokens.input_ids.to(self._device)

    def _loss(self, latents: Tensor, token_ids: Tensor, timesteps: Tensor) -> Tensor:
        noise = torch.randn(latents.shape).to(self._device)
        noisy = self._scheduler.add_noise(latents, noise, timesteps)
        target = self._scheduler.get_velocity(latents, noise, timesteps)
        with torch.autocast(self._device.type, torch.bfloat16):
            predicted = self.networks(noisy, timesteps, token_ids)
        error = functional.mse_loss(predicted.float(), target, reduction="none")
        return (error * drawn_weight(latents)).mean()


def stratified_timesteps(count: int) -> Tensor:
    """One from each of `count` equal parts of 0 to 999, in chance order: every batch sees all noise levels."""
    places = (torch.arange(count) + torch.rand(count)) / count
    return (places * 1000).long().clamp(max=999)[torch.randperm(count)]


def drawn_weight(latents: Tensor) -> Tensor:
    """`(n, 1, 32, 32)`, mean 1 over each picture: more where it differs from most of it, and where an edge runs."""
    picture = latents[:, :PICTURE_CHANNELS]
    usual = picture.flatten(2).median(dim=2).values[:, :, None, None]
    differs = (picture - usual).abs().amax(dim=1, keepdim=True)
    spread = (_largest_near(picture) + _largest_near(-picture)).amax(dim=1, keepdim=True)
    weight = 1 + DRAWN_WEIGHT * (_largest_near(differs) > DRAWN_ABOVE) + EDGE_WEIGHT * (spread > DRAWN_ABOVE)
    return weight / weight.mean(dim=(1, 2, 3), keepdim=True)


def _largest_near(values: Tensor) -> Tensor:
    """Of each cell and the eight beside it."""
    return functional.max_pool2d(values, 3, stride=1, padding=1)


def encoded_samples(autoencoder: Any, pictures: Iterator[tuple[Picture, Tensor]], count: int) -> Samples:
    """Runs each picture through the encoder, once and for all."""
    kept: list[Picture] = []
    latents: list[Tensor] = []
    while len(kept) < count:
        batch = [next(pictures) for _ in range(50)]
        pixels = torch.stack([tensor for _, tensor in batch]).to(autoencoder.device)
        with torch.inference_mode(), torch.autocast(pixels.device.type, torch.bfloat16):
            latents.append(autoencoder.encode(pixels).latent_dist.mode().half().cpu())
        kept += [picture for picture, _ in batch]
    return Samples(kept, torch.cat(latents))
