"""How well minilab follows prompts it never trained on: `python -m models.minilab.evaluate`.

Every figure stands beside two others of the same examiner: real renderings (what a perfect model would get), and the
model's own images shuffled among the prompts (what chance would get).
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from diffusers import StableDiffusionPipeline

from models.minilab.held_out import Exercise, Kind, exercises
from models.minilab.marks import Marks, mark, share
from models.minilab.recipe.render import render
from models.minilab.recognise import Pixels
from models.minilab.table import write_table

log = structlog.get_logger()

FOLDER = Path(__file__).parent
STEPS, FEW_STEPS = 20, 6
GUIDANCE = 2.0
BATCH = 20
ATTRIBUTES = ("background", "colour", "shape", "size", "position", "count", "edges")


class Examination:
    """Marks of one set of images, in the order of the exercises."""

    def __init__(self, exercises: Sequence[Exercise], images: Sequence[Pixels]) -> None:
        self._exercises = exercises
        self._marks = [mark(image, exercise.picture) for image, exercise in zip(images, exercises, strict=True)]

    def scores(self) -> dict[str, float]:
        """Shares from 0 to 1: of each attribute; of prompts with every attribute right, in all and by kind."""
        scored = self._of({kind for kind in Kind if kind is not Kind.LANDSCAPE})
        scores = {name: share(scored, lambda marks, name=name: getattr(marks, name)) for name in ATTRIBUTES}  # type: ignore[misc]
        scores["all"] = share(scored, lambda marks: marks.all)
        return scores | {kind.value: share(self._of({kind}), lambda marks: marks.all) for kind in Kind}

    def _of(self, kinds: set[Kind]) -> list[Marks]:
        return [marks for marks, exercise in zip(self._marks, self._exercises, strict=True) if exercise.kind in kinds]


def load(folder: Path) -> Any:
    pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda" if torch.cuda.is_available() else "cpu")


def draw(pipeline: Any, prompts: Sequence[str], steps: int) -> list[Pixels]:
    """The image of prompt i starts from seed i."""
    images: list[Pixels] = []
    for first in range(0, len(prompts), BATCH):
        part = list(prompts[first : first + BATCH])
        generators = [torch.Generator().manual_seed(first + index) for index in range(len(part))]
        images += _pixels(pipeline(part, num_inference_steps=steps, guidance_scale=GUIDANCE, generator=generators))
    return images


def round_trip(pipeline: Any, images: Sequence[Pixels]) -> list[Pixels]:
    """Through the autoencoder and back: what the best denoiser would get."""
    with torch.inference_mode():
        pixels = pipeline.image_processor.preprocess(np.stack(images).astype(np.float32) / 255).to(pipeline.device)
        latents = [pipeline.vae.encode(part).latent_dist.mode() for part in pixels.split(BATCH)]
        decoded = torch.cat([pipeline.vae.decode(part).sample for part in latents])
    return list((pipeline.image_processor.postprocess(decoded, output_type="np") * 255).round().astype(np.uint8))


def seconds_per_image(pipeline: Any, images: int = 5) -> float:
    """One by one, at STEPS, after one to warm up: the median."""
    taken = []
    for seed in range(images + 1):
        started = time.perf_counter()
        draw(pipeline, [f"a red circle on a white background {seed}"], STEPS)
        taken.append(time.perf_counter() - started)
    return sorted(taken[1:])[images // 2]


def evaluate(folder: Path) -> dict[str, dict[str, float]]:
    """Columns of scores."""
    pipeline = load(folder)
    asked = exercises()
    prompts = [exercise.prompt for exercise in asked]
    drawn = draw(pipeline, prompts, STEPS)
    log.info("evaluated", steps=STEPS)
    real = [np.asarray(render(exercise.picture, random.Random(index))) for index, exercise in enumerate(asked)]
    columns = {
        f"{STEPS} steps": drawn,
        f"{FEW_STEPS} steps": draw(pipeline, prompts, FEW_STEPS),
        "chance": random.Random(0).sample(drawn, len(drawn)),
        "round trip": round_trip(pipeline, real),
        "renders": real,
    }
    return {name: Examination(asked, images).scores() for name, images in columns.items()}


def summary(columns: dict[str, dict[str, float]], folder: Path) -> dict[str, float]:
    best = columns[f"{STEPS} steps"]
    names = ("background", "colour", "shape", "position", "count", "all")
    return {name: round(best[name], 4) for name in names} | {
        "pair": round(best[Kind.PAIR.value], 4),
        "all_few_steps": round(columns[f"{FEW_STEPS} steps"]["all"], 4),
        "prompts": len(exercises()),
        "megabytes": round(sum(file.stat().st_size for file in folder.rglob("*.safetensors")) / 1e6, 2),
        "seconds_per_image": round(seconds_per_image(load(folder)), 3),
    }


def _pixels(output: Any) -> list[Pixels]:
    return [np.asarray(image) for image in output.images]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="a folder of save_pretrained")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--write-card", action="store_true", help="write the table into the folder's README.md")
    chosen = parser.parse_args()
    columns = evaluate(chosen.folder)
    print(write_table(columns, chosen.folder / "README.md" if chosen.write_card else None))
    if chosen.json:
        print(json.dumps(summary(columns, chosen.folder)))


if __name__ == "__main__":
    main()
