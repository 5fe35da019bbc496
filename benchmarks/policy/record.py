"""Times the bundled model's UNet on this machine, by rows. `python -m benchmarks.policy --record` runs it.

A process of its own: torch reads how idle threads wait when it is loaded, and spinning ones would be measured too.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from benchmarks.policy.curves import RECORDED
from darkroom.catalogue import read_catalogue
from darkroom.settings import BUNDLED_CATALOGUE
from models.device import choose_device
from models.loading import load_pipeline

MODEL = "minilab"
ROWS_AN_IMAGE = 2  # guidance
MOST_ROWS = 16


def main() -> None:
    options = _options()
    if os.environ.get("OMP_WAIT_POLICY") != "PASSIVE":
        raise SystemExit("Set OMP_WAIT_POLICY=PASSIVE: spinning threads would be measured otherwise.")
    recorded = record(options.rounds)
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text(json.dumps([recorded], indent=1) + "\n", encoding="utf-8")
    print(json.dumps(recorded))


def record(rounds: int) -> dict[str, Any]:
    card = read_catalogue(BUNDLED_CATALOGUE)[MODEL]
    device = choose_device("auto")
    pipeline: Any = load_pipeline(card, device=device.name, dtype=device.dtype_of(card))
    with torch.inference_mode():
        seconds = fastest_seconds(_forward(pipeline), MOST_ROWS, rounds)
    return {
        "name": MODEL,
        "rows_an_image": ROWS_AN_IMAGE,
        "seconds": seconds,
        "measured": datetime.now(UTC).date().isoformat(),
        "device": f"{device.name}, {torch.get_num_threads()} threads",
        "rounds": rounds,
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "diffusers")},
    }


def fastest_seconds(forward: Callable[[int], object], most: int, rounds: int) -> list[float]:
    """Of each number of rows, the fastest of several rounds: whatever else ran here can only have slowed the others."""
    forward(1)
    fastest = [float("inf")] * most
    for _ in range(rounds):
        for rows in range(1, most + 1):
            started_s = time.perf_counter()
            forward(rows)
            fastest[rows - 1] = min(fastest[rows - 1], time.perf_counter() - started_s)
    return [round(taken_s, 6) for taken_s in fastest]


def _forward(pipeline: Any) -> Callable[[int], object]:
    unet = pipeline.unet
    config = unet.config
    like = {"device": unet.device, "dtype": unet.dtype}
    size = config.sample_size
    latents = torch.randn(MOST_ROWS, config.in_channels, size, size, **like)
    words = torch.randn(MOST_ROWS, pipeline.tokenizer.model_max_length, config.cross_attention_dim, **like)
    timesteps = torch.full((MOST_ROWS,), 500, device=unet.device)

    def forward(rows: int) -> None:
        unet(latents[:rows], timesteps[:rows], encoder_hidden_states=words[:rows])
        if unet.device.type == "cuda":
            torch.cuda.synchronize()

    return forward


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="how often each number of rows is timed")
    return parser.parse_args()


if __name__ == "__main__":
    main()
