"""Tiny random pipelines of every family in the catalogue, saved as a hub repository would hold them.

They show that code fits a family's real classes. What they draw is noise.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from darkroom.catalogue import ModelCard, Range, SchedulerName, Size
from tests.models.tiny import transformer_families as tiny_transformer_families
from tests.models.tiny import unet_families as tiny_unet_families

Family = Literal["sd", "sdxl", "sd3", "flux", "flux2", "flux2_klein", "qwen_image", "z_image"]
FAMILIES: tuple[Family, ...] = get_args(Family)

SIDE = 32

PIPELINES: Mapping[Family, str] = {
    "sd": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "sd3": "StableDiffusion3Pipeline",
    "flux": "FluxPipeline",
    "flux2": "Flux2Pipeline",
    "flux2_klein": "Flux2KleinPipeline",
    "qwen_image": "QwenImagePipeline",
    "z_image": "ZImagePipeline",
}

_BUILDERS: Mapping[Family, Callable[[], Any]] = {
    "sd": tiny_unet_families.stable_diffusion,
    "sdxl": tiny_unet_families.stable_diffusion_xl,
    "sd3": tiny_transformer_families.stable_diffusion_3,
    "flux": tiny_transformer_families.flux,
    "flux2": tiny_transformer_families.flux2,
    "flux2_klein": tiny_transformer_families.flux2_klein,
    "qwen_image": tiny_transformer_families.qwen_image,
    "z_image": tiny_transformer_families.z_image,
}


def save(family: Family, folder: Path) -> ModelCard:
    """Builds the family's pipeline, the same one every time, and returns a card that points to it."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipeline = _BUILDERS[family]()
        _fill_what_training_would(pipeline)
    pipeline.save_pretrained(folder, safe_serialization=True)
    return card(family, path=folder)


def card(family: Family, **fields: Any) -> ModelCard:
    """With `fields` in place of its own values. Unless they say where its weights are, it has none."""
    has_unet = family in {"sd", "sdxl"}
    schedulers: tuple[SchedulerName, ...] = ("euler", "ddim") if has_unet else ("flow_euler", "flow_unipc")
    values: dict[str, Any] = {
        "id": family.replace("_", "-"),
        "title": f"tiny {family}",
        "summary": "Random weights.",
        "license": "none",
        "pipeline": PIPELINES[family],
        "dtype": "float32",
        "size": Size(width=SIDE, height=SIDE, min=SIDE, max=64, multiple_of=8, max_pixels=4096),
        "steps": Range[int](default=2, min=1, max=50),
        "guidance_scale": Range[float](default=3.0, min=0, max=20),
        "scheduler": schedulers[0],
        "schedulers": schedulers,
        "negative_prompt": family in {"sd", "sdxl", "sd3", "qwen_image"},
    }
    if "hub_id" not in fields:
        values["path"] = Path("nowhere")
    return ModelCard(**{**values, **fields})


def _fill_what_training_would(pipeline: Any) -> None:
    """Some layers start as zeros, which would hide what flows through them, or as whatever lay in memory."""
    import torch

    network = getattr(pipeline, "unet", None) or pipeline.transformer
    for parameter in network.parameters():
        if not torch.isfinite(parameter).all() or parameter.std(correction=0) == 0:
            torch.nn.init.normal_(parameter, std=0.02)
