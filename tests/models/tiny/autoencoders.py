"""Autoencoders that halve (or quarter, Qwen-Image's) an image's sides."""

from typing import Any


def kl_autoencoder(*, latent_channels: int, **config: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(**_blocks(), latent_channels=latent_channels, sample_size=32, **config)


def flow_autoencoder(*, latent_channels: int) -> Any:
    """As SD3, FLUX and Z-Image have it: shifted latents, no convolution between."""
    return kl_autoencoder(
        latent_channels=latent_channels,
        scaling_factor=1.5,
        shift_factor=0.06,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def flux2_autoencoder() -> Any:
    from diffusers import AutoencoderKLFlux2

    return AutoencoderKLFlux2(**_blocks(), latent_channels=4, sample_size=32)


def qwen_autoencoder() -> Any:
    from diffusers import AutoencoderKLQwenImage

    return AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 2, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


def _blocks() -> dict[str, Any]:
    return {
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "down_block_types": ("DownEncoderBlock2D", "DownEncoderBlock2D"),
        "up_block_types": ("UpDecoderBlock2D", "UpDecoderBlock2D"),
    }
