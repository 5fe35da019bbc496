"""What a newcomer does first: one prompt through every part, and a picture that shows what the prompt says."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from models.minilab.marks import mark
from models.minilab.recipe.pictures import Single, Thing


def test_the_demo_draws_what_the_prompt_says(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "darkroom", "demo", "--seed", "1", "--out", str(tmp_path)]
    command += ["--prompt", "a red circle on a white background"]

    # With so few lanes, little is measured before the only job.
    subprocess.run(command, check=True, timeout=120, capture_output=True, env={**os.environ, "DARKROOM_LANES": "2"})

    [file] = tmp_path.iterdir()
    pixels = np.asarray(Image.open(file).convert("RGB"))
    assert mark(pixels, Single(Thing("circle", "red"), "white")).all
    red, green, blue = pixels[60:68, 60:68].mean(axis=(0, 1))
    assert red > 180
    assert max(green, blue) < 90
    assert min(corner.mean() for corner in corners(pixels)) > 230


def corners(pixels: "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]") -> "list[np.ndarray]":
    return [pixels[:12, :12], pixels[:12, -12:], pixels[-12:, :12], pixels[-12:, -12:]]
