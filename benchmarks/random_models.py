"""Models of real size with random weights, for figures from a GPU without a download. What they draw is noise.

Layer sizes are those of the published models; the tokenizers know single bytes, which costs a forward nothing.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from tests.models.tiny import tokenizers as tiny_tokenizers

DONE = "catalogue.toml"

CARD = """
[{model}]
title = "{model}"
summary = "Random weights."
license = "none"
pipeline = "{pipeline}"
path = "{model}"
dtype = "bfloat16"
size = {{ width = 1024, height = 1024, min = 256, max = 1024, multiple_of = 16, max_pixels = 1_048_576 }}
steps = {{ default = 20, min = 1, max = 100 }}
guidance_scale = {{ default = {guidance}, min = 0.0, max = 20.0 }}
scheduler = "{scheduler}"
schedulers = ["{scheduler}"]
negative_prompt = {negative}
"""


def build(model: str, folder: Path) -> Path:
    """Path of a catalogue with this model alone; its weights are saved beside it, unless they are there already."""
    home = folder / model
    catalogue = home / DONE
    if not catalogue.exists():
        torch.manual_seed(0)
        with torch.device("cuda"):  # minutes faster than on the CPU
            RANDOM_MODELS[model]().save_pretrained(home / model, safe_serialization=True)
        torch.cuda.empty_cache()
        catalogue.write_text(card_text(model), encoding="utf-8")
    return catalogue


def card_text(model: str) -> str:
    unet = model == "sdxl-random"
    return CARD.format(
        model=model,
        pipeline="StableDiffusionXLPipeline" if unet else "FluxPipeline",
        guidance=5.0 if unet else 3.5,
        scheduler="euler" if unet else "flow_euler",
        negative="true" if unet else "false",
    )


def sdxl() -> Any:
    """Sizes of stable-diffusion-xl-base-1.0: 2.6 billion parameters in its UNet."""
    tokenizer = tiny_tokenizers.clip_tokenizer()
    unet = diffusers.UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20),
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )
    return diffusers.StableDiffusionXLPipeline(
        unet=_halved(unet),
        vae=_halved(_autoencoder(latent_channels=4, scaling_factor=0.13025)),
        text_encoder=_halved(transformers.CLIPTextModel(_clip(tokenizer, 768, layers=12, heads=12))),
        text_encoder_2=_halved(transformers.CLIPTextModelWithProjection(_clip(tokenizer, 1280, layers=32, heads=20))),
        tokenizer=tokenizer,
        tokenizer_2=tiny_tokenizers.clip_tokenizer(),
        scheduler=_on_cpu(
            diffusers.EulerDiscreteScheduler, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012
        ),
        add_watermarker=False,
    )


def flux() -> Any:
    """Sizes of FLUX.1 dev: 12 billion parameters in its transformer, 5 billion in its text encoder."""
    tokenizer = tiny_tokenizers.clip_tokenizer()
    t5 = transformers.T5Config(
        vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return diffusers.FluxPipeline(
        transformer=_halved(diffusers.FluxTransformer2DModel(guidance_embeds=True)),
        vae=_halved(_autoencoder(latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159)),
        text_encoder=_halved(transformers.CLIPTextModel(_clip(tokenizer, 768, layers=12, heads=12))),
        text_encoder_2=_halved(transformers.T5EncoderModel(t5)),
        tokenizer=tokenizer,
        tokenizer_2=tiny_tokenizers.t5_tokenizer(),
        scheduler=_on_cpu(diffusers.FlowMatchEulerDiscreteScheduler, shift=3.0, use_dynamic_shifting=True),
    )


RANDOM_MODELS: Mapping[str, Callable[[], Any]] = {"sdxl-random": sdxl, "flux-random": flux}


def _on_cpu(scheduler_class: Any, **config: Any) -> Any:
    """Schedulers count with numpy."""
    with torch.device("cpu"):
        return scheduler_class(**config)


def _halved(network: Any) -> Any:
    return network.to(torch.bfloat16)


def _clip(tokenizer: Any, width: int, *, layers: int, heads: int) -> Any:
    return transformers.CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _autoencoder(**config: Any) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        sample_size=1024,
        # Published SDXL decodes in float32, as half precision overflows. Random weights don't.
        force_upcast=False,
        **config,
    )
