"""The families trained by flow matching, with random weights."""

from typing import Any

from tests.models.tiny import text_encoders as text
from tests.models.tiny.autoencoders import flow_autoencoder, flux2_autoencoder, qwen_autoencoder
from tests.models.tiny.tokenizers import clip_tokenizer, mistral_tokenizer, qwen_tokenizer, t5_tokenizer


def stable_diffusion_3() -> Any:
    from diffusers import SD3Transformer2DModel, StableDiffusion3Pipeline

    tokenizer, tokenizer_2, tokenizer_3 = clip_tokenizer(), clip_tokenizer(), t5_tokenizer()
    return StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=16,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=64,
            pooled_projection_dim=64,
        ),
        vae=flow_autoencoder(latent_channels=4),
        text_encoder=text.clip(tokenizer, projection=True),
        text_encoder_2=text.clip(tokenizer_2, projection=True),
        text_encoder_3=text.t5(tokenizer_3, width=64),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        tokenizer_3=tokenizer_3,
        scheduler=_flow_scheduler(shift=3.0),
    )


def flux() -> Any:
    from diffusers import FluxPipeline, FluxTransformer2DModel

    tokenizer, tokenizer_2 = clip_tokenizer(), t5_tokenizer()
    return FluxPipeline(
        transformer=FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=True,
        ),
        vae=flow_autoencoder(latent_channels=4),
        text_encoder=text.clip(tokenizer),
        text_encoder_2=text.t5(tokenizer_2, width=32),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        scheduler=_flow_scheduler(use_dynamic_shifting=True),
    )


def flux2() -> Any:
    from diffusers import Flux2Pipeline

    tokenizer = mistral_tokenizer()
    return Flux2Pipeline(
        transformer=_flux2_transformer(guidance_embeds=True),
        vae=flux2_autoencoder(),
        text_encoder=text.mistral3(tokenizer, layers=30),  # the pipeline reads layer 30
        tokenizer=tokenizer,
        scheduler=_flow_scheduler(use_dynamic_shifting=True),
    )


def flux2_klein() -> Any:
    from diffusers import Flux2KleinPipeline

    tokenizer = qwen_tokenizer()
    return Flux2KleinPipeline(
        transformer=_flux2_transformer(guidance_embeds=False),
        vae=flux2_autoencoder(),
        text_encoder=text.qwen3(tokenizer, layers=28, causal=True),  # the pipeline reads layer 27
        tokenizer=tokenizer,
        scheduler=_flow_scheduler(use_dynamic_shifting=True),
        is_distilled=True,
    )


def qwen_image() -> Any:
    from diffusers import QwenImagePipeline, QwenImageTransformer2DModel

    tokenizer = qwen_tokenizer()
    return QwenImagePipeline(
        transformer=QwenImageTransformer2DModel(
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=(8, 4, 4),
        ),
        vae=qwen_autoencoder(),
        text_encoder=text.qwen2_5_vl(tokenizer),
        tokenizer=tokenizer,
        scheduler=_flow_scheduler(use_dynamic_shifting=True, shift_terminal=0.02),
    )


def z_image() -> Any:
    from diffusers import ZImagePipeline, ZImageTransformer2DModel

    tokenizer = qwen_tokenizer()
    return ZImagePipeline(
        transformer=ZImageTransformer2DModel(
            in_channels=16,
            dim=32,
            n_layers=2,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            cap_feat_dim=16,
            axes_dims=[8, 4, 4],
            axes_lens=[1024, 32, 32],
        ),
        vae=flow_autoencoder(latent_channels=16),
        text_encoder=text.qwen3(tokenizer, layers=2, causal=False),
        tokenizer=tokenizer,
        scheduler=_flow_scheduler(shift=3.0),
    )


def _flux2_transformer(*, guidance_embeds: bool) -> Any:
    from diffusers import Flux2Transformer2DModel

    return Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * 16,  # three layers of the text encoder, side by side
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guidance_embeds,
    )


def _flow_scheduler(**config: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(**config)
