"""Step reuse: what it saves and what it does to images, on the bundled model in full batches.

`python -m benchmarks.step_reuse` writes a page, figures and a sheet of images to `benchmarks/results/`.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from PIL import Image

from benchmarks.machine import this_machine
from benchmarks.pages import within_width
from benchmarks.step_reuse.cost import measure_costs
from benchmarks.step_reuse.image_quality import psnr, ssim
from benchmarks.step_reuse.report import report
from benchmarks.step_reuse.studio import Drawn, Studio
from darkroom.catalogue import STEP_REUSE_LEVELS

RESULTS = Path(__file__).parents[1] / "results"
SCHEDULERS = (("dpmpp_2m", 20), ("euler", 30), ("euler_ancestral", 30), ("heun", 15))
SHAPES = ("circle", "square", "triangle", "star", "heart", "ring", "hexagon")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "white")
SCENES = (
    "a boat on the sea at sunset", "a house on a hill by day", "a cactus in the desert at night",
    "a tree in the snow under a pink sky", "an island in the sea by day", "a pyramid in the desert at sunset",
    "a mountain and the moon at night", "a house in the snow at night", "three red stars on a blue background",
    "two green hearts on a white background", "four yellow circles on a black background", "a tree on a hill at sunset",
)  # fmt: skip
SHOWN = 6


@dataclass(frozen=True)
class Row:
    scheduler: str
    steps: int
    level: str
    """Or `fewer steps`: without reuse, and as many as `medium` computed."""
    saved: float
    """Share of the denoiser's rows."""
    psnr_db: float
    worst_psnr_db: float
    ssim: float
    images_per_s: float
    images_per_cpu_s: float


def prompts(count: int) -> list[str]:
    shapes = [
        f"a {COLOURS[number % 7]} {SHAPES[(2 * number + number // 7) % 7]} on a {COLOURS[(number + 3) % 7]} background"
        for number in range(28)
    ]
    return [*SCENES, *shapes][:: max(1, 40 // count)][:count]


def measure(studio: Studio, scheduler: str, steps: int, texts: Sequence[str]) -> tuple[list[Row], list[Drawn]]:
    drawn = [studio.draw(level, scheduler, steps, texts) for level in STEP_REUSE_LEVELS]
    full = drawn[0]
    rows = [_row(scheduler, steps, level, each, full) for level, each in zip(STEP_REUSE_LEVELS, drawn, strict=True)]
    medium = rows[STEP_REUSE_LEVELS.index("medium")]
    fewer = max(2, round(steps * (1 - medium.saved)))
    return [*rows, _row(scheduler, fewer, "fewer steps", studio.draw("off", scheduler, fewer, texts), full)], drawn


def _row(scheduler: str, steps: int, level: str, drawn: Drawn, full: Drawn) -> Row:
    pairs = list(zip(drawn.images, full.images, strict=True))
    likeness = [psnr(*pair) for pair in pairs]
    return Row(
        scheduler,
        steps,
        level,
        saved=1 - sum(drawn.rows) / sum(full.rows),
        psnr_db=float(np.mean(likeness)),
        worst_psnr_db=min(likeness),
        ssim=float(np.mean([ssim(*pair) for pair in pairs])),
        images_per_s=len(pairs) / drawn.wall_s,
        images_per_cpu_s=len(pairs) / drawn.cpu_s,
    )


def sheet(drawn: Sequence[Drawn]) -> Image.Image:
    """A column for each job, a row for each level."""
    rows = [np.concatenate(list(each.images[:SHOWN]), axis=1) for each in drawn]
    return Image.fromarray((np.concatenate(rows) * 255).round().astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--schedulers", nargs="*", default=[name for name, _ in SCHEDULERS])
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    command = " ".join(("python -m benchmarks.step_reuse", *sys.argv[1:]))
    result: dict[str, Any] = {"command": command, "prompts": asked.prompts, "rows": []}
    studio, texts = Studio(), prompts(asked.prompts)
    studio.draw("off", "dpmpp_2m", 2, texts[:2])  # the first call of a shape is slow
    RESULTS.mkdir(exist_ok=True)
    for scheduler, steps in SCHEDULERS:
        if scheduler in asked.schedulers:
            rows, drawn = measure(studio, scheduler, steps, texts)
            result["rows"] += [asdict(row) for row in rows]
            if scheduler == asked.schedulers[0]:
                sheet(drawn).save(RESULTS / "step_reuse.png")
            print(*rows, sep="\n", flush=True)
    studio.close()
    result["costs"] = [asdict(cost) for cost in measure_costs()]
    result["machine"] = this_machine(("torch", "diffusers"), load)
    (RESULTS / "step_reuse.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "step_reuse.md").write_text(within_width(report(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
