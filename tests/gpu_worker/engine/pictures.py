"""Pipelines that start from a picture, made of the tiny ones; and pictures for them."""

from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.models.tiny.pipelines import SIDE

# AutoPipelineForImage2Image finds these too, but imports every family there is, some with warnings.
CLASSES = {
    "sd": "StableDiffusion",
    "sdxl": "StableDiffusionXL",
    "sd3": "StableDiffusion3",
    "flux": "Flux",
}


def picture(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))


def mask(top: int) -> Image.Image:
    area = np.zeros((SIDE, SIDE), np.uint8)
    area[top : top + 16, 8:24] = 255
    return Image.fromarray(area)


def image_to_image(base: Any, family: str) -> Any:
    return _quiet(_pipeline_class(family, "Img2Img").from_pipe(base))


def inpainting(base: Any, family: str) -> Any:
    parts = _sixteen_channels(base) if family == "sd3" else {}
    return _quiet(_pipeline_class(family, "Inpaint").from_pipe(base, **parts))


def controlled(base: Any) -> Any:
    from diffusers import ControlNetModel, StableDiffusionControlNetPipeline

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: Any = ControlNetModel(
            in_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            attention_head_dim=4,
            cross_attention_dim=32,
            conditioning_embedding_out_channels=(8, 16),
        )
        for parameter in network.parameters():
            if parameter.std(correction=0) == 0:  # it starts as one that changes nothing
                torch.nn.init.normal_(parameter, std=0.1)
    return _quiet(StableDiffusionControlNetPipeline.from_pipe(base, controlnet=network))


def _sixteen_channels(base: Any) -> dict[str, Any]:
    """SD3's inpainting takes no other number."""
    from diffusers import SD3Transformer2DModel

    from tests.models.tiny.autoencoders import flow_autoencoder

    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = {**base.transformer.config, "in_channels": 16, "out_channels": 16}
        return {"transformer": SD3Transformer2DModel.from_config(config), "vae": flow_autoencoder(latent_channels=16)}


def _pipeline_class(family: str, kind: str) -> Any:
    import diffusers

    return getattr(diffusers, f"{CLASSES[family]}{kind}Pipeline")


def _quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
