"""How long a forward of so many images takes: curves measured on a machine, and model ones from the design."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu_worker.engine.knees import find_knee

RECORDED = Path(__file__).parents[1] / "results" / "policy_curves.json"


@dataclass(frozen=True)
class Curve:
    """`seconds[i]` is the time of a forward of i + 1 images. Model curves count in forwards of one image."""

    name: str
    seconds: tuple[float, ...]
    source: str

    @property
    def knee(self) -> int:
        """Images in a forward, beyond which more give hardly more images a second: as a worker finds it."""
        return find_knee(self.of, len(self.seconds))

    @property
    def capacity(self) -> float:
        """Image-steps a second in batches of the knee."""
        return self.knee / self.of(self.knee)

    def of(self, images: int) -> float:
        return self.seconds[images - 1]


def model_curve(name: str, fixed_share: float, most: int) -> Curve:
    """c + (1 - c) * images: of one image's time, the share c is paid once for each forward."""
    seconds = tuple(fixed_share + (1 - fixed_share) * images for images in range(1, most + 1))
    return Curve(name, seconds, f"model: {fixed_share:g} + {1 - fixed_share:g} · images")


# Gains of 2.4 × at 8 images, 1.35 × at 4 and 1.03 × at 4: the design's table.
MODEL_CURVES = (
    model_curve("small", 0.667, 8),
    model_curve("SDXL-like", 0.346, 4),
    model_curve("FLUX-like", 0.039, 4),
)


def known_curves(recorded: Path = RECORDED) -> tuple[Curve, ...]:
    """The model curves, and whatever was recorded."""
    if not recorded.exists():
        return MODEL_CURVES
    return (*MODEL_CURVES, *(_curve(entry) for entry in json.loads(recorded.read_text(encoding="utf-8"))))


def _curve(entry: Mapping[str, Any]) -> Curve:
    """A recording is by rows: guidance makes several of one image."""
    rows = entry["rows_an_image"]
    seconds = tuple(entry["seconds"][rows - 1 :: rows])
    return Curve(entry["name"], seconds, f"measured {entry['measured']}, {entry['device']}")
