"""Puts trained parts together as a diffusers folder in half precision."""

import copy
from pathlib import Path
from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from transformers import CLIPTokenizer

from models.minilab.recipe.denoiser import SCHEDULE, Networks


def export(folder: Path, autoencoder: Any, networks: Networks, tokenizer: CLIPTokenizer) -> None:
    """Overwrites what is there of it; leaves other files alone."""
    pipeline = new_pipeline(autoencoder, networks, tokenizer)
    pipeline.to(dtype=torch.float16).save_pretrained(folder)


def new_pipeline(autoencoder: Any, networks: Networks, tokenizer: CLIPTokenizer) -> Any:
    """Over copies, so that training can go on."""
    # `clip_sample` is for schedulers that are made from this one: DDIM and DDPM would cut latents off at 1.
    config = {**SCHEDULE, "algorithm_type": "dpmsolver++", "steps_offset": 1, "clip_sample": False}
    scheduler: Any = DPMSolverMultistepScheduler.from_config(config)
    return StableDiffusionPipeline(
        vae=copy.deepcopy(autoencoder).eval(),
        text_encoder=copy.deepcopy(networks.text_encoder).eval(),
        tokenizer=tokenizer,
        unet=copy.deepcopy(networks.unet).eval(),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
