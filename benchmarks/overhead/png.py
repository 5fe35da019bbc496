"""What a PNG of 1024x1024 costs, in ways to compress it: CPU milliseconds of one core, and KiB.

`python -m benchmarks.overhead.png` prints a row of Markdown for each way.
"""

import time
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

SIDE, ROUNDS = 1024, 5
WAYS: Mapping[str, Mapping[str, Any]] = {
    "level 4 (as before)": {"compress_level": 4},
    "level 2": {"compress_level": 2},
    "level 1": {"compress_level": 1},
    "runs alone (as we do)": {"compress_type": zlib.Z_RLE},
}


def main() -> None:
    pictures = {"photo": _photo(0), "photo with grain": _photo(3), "screenshot": _screenshot()}
    print(f"| | {' | '.join(pictures)} |")
    print("|---|" + "---|" * len(pictures))
    for name, options in WAYS.items():
        cells = [f"{ms:.0f} ms, {kib:.0f}" for ms, kib in (_cost(each, options) for each in pictures.values())]
        print(f"| {name} | {' | '.join(cells)} |")


def _cost(picture: Image.Image, options: Mapping[str, Any]) -> tuple[float, float]:
    """The least of several rounds: other programs lengthen some."""
    times: list[float] = []
    for _ in range(ROUNDS):
        buffer, began = BytesIO(), time.process_time()
        picture.save(buffer, "png", **options)
        times.append(1000 * (time.process_time() - began))
    return min(times), len(buffer.getvalue()) / 1024


def _photo(grain: float) -> Image.Image:
    """Matplotlib's sample, enlarged: smooth as what a model draws, and as noisy as one that was trained on photos."""
    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as sample:
        photo = sample.convert("RGB").crop((0, 40, 512, 552)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    noise = np.random.default_rng(0).normal(0, grain, (SIDE, SIDE, 3))
    return Image.fromarray((np.asarray(photo, dtype=float) + noise).clip(0, 255).astype("uint8"))


def _screenshot() -> Image.Image:
    """Flat colours, text and thumbnails."""
    with Image.open(Path(__file__).parents[2] / "docs" / "images" / "studio.png") as screenshot:
        return screenshot.convert("RGB").crop((0, 0, SIDE, SIDE))


if __name__ == "__main__":
    main()
