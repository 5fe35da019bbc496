"""A stock diffusers pipeline as anybody would call it: what every system but ours has for an engine."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from benchmarks.assignment import Assignment
from benchmarks.batches import batches_of_equal_steps
from benchmarks.emulation import slow_down
from benchmarks.work import Work


class PlainPipeline:
    """Imports nothing of Darkroom, so that it also runs where that is not installed."""

    def __init__(self, assignment: Assignment) -> None:
        import diffusers
        import torch
        import transformers

        transformers.utils.logging.disable_progress_bar()
        diffusers.utils.logging.disable_progress_bar()
        self._assignment = assignment
        self._pipeline: Any = diffusers.DiffusionPipeline.from_pretrained(
            assignment.folder, dtype=getattr(torch, assignment.dtype), use_safetensors=True, local_files_only=True
        ).to(assignment.device)
        self._pipeline.set_progress_bar_config(disable=True)
        if assignment.emulated:
            denoiser = getattr(self._pipeline, "unet", None) or self._pipeline.transformer
            slow_down(denoiser, assignment.emulated, assignment.turn)
        if assignment.device.startswith("cuda") and hasattr(self._pipeline, "unet"):
            self._pipeline.unet.to(memory_format=torch.channels_last)  # as our worker does

    def draw_mixed(self, works: Sequence[Work], largest: int | None = None) -> list[bytes]:
        """PNG files in the order of the works, which are grouped by step count, by default as assigned."""
        images: dict[int, bytes] = {}
        for batch in batches_of_equal_steps(works, largest or self._assignment.batch):
            images.update(zip(batch, self.draw([works[position] for position in batch]), strict=True))
        return [images[position] for position in range(len(works))]

    def draw(self, works: Sequence[Work]) -> list[bytes]:
        """One call of the pipeline. All works have the same step count."""
        import torch

        output = self._pipeline(
            prompt=[work.prompt for work in works],
            num_inference_steps=works[0].steps,
            guidance_scale=self._assignment.guidance_scale,
            width=self._assignment.side,
            height=self._assignment.side,
            generator=[torch.Generator("cpu").manual_seed(work.seed) for work in works],
        )
        return [_png(image) for image in output.images]


def _png(image: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "png", compress_type=3)  # runs alone, as our worker does
    return buffer.getvalue()
