"""Stable Diffusion and SDXL, with random weights and latents half the image's size."""

from typing import Any

from tests.models.tiny.autoencoders import kl_autoencoder
from tests.models.tiny.text_encoders import clip
from tests.models.tiny.tokenizers import clip_tokenizer


def stable_diffusion() -> Any:
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    tokenizer = clip_tokenizer()
    return StableDiffusionPipeline(
        unet=UNet2DConditionModel(**_unet(), cross_attention_dim=32),
        vae=kl_autoencoder(latent_channels=4),
        text_encoder=clip(tokenizer),
        tokenizer=tokenizer,
        scheduler=DDIMScheduler(**_noise_schedule(), clip_sample=False, set_alpha_to_one=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl() -> Any:
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    tokenizer, tokenizer_2 = clip_tokenizer(), clip_tokenizer()
    pooled, time_ids = 32, 6 * 8
    return StableDiffusionXLPipeline(
        unet=UNet2DConditionModel(
            **_unet(),
            cross_attention_dim=64,  # both text encoders, side by side
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=pooled + time_ids,
        ),
        vae=kl_autoencoder(latent_channels=4),
        text_encoder=clip(tokenizer),
        text_encoder_2=clip(tokenizer_2, projection=True),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        scheduler=EulerDiscreteScheduler(**_noise_schedule(), timestep_spacing="leading"),
        add_watermarker=False,
    )


def _unet() -> dict[str, Any]:
    return {
        "sample_size": 16,
        "in_channels": 4,
        "out_channels": 4,
        "layers_per_block": 1,
        "block_out_channels": (8, 16),
        "norm_num_groups": 4,
        "attention_head_dim": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    }


def _noise_schedule() -> dict[str, Any]:
    return {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}
