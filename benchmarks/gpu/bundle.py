"""Collects what a machine with CUDA and torch lacks, as wheels for its Python: `make gpu-bundle`. Needs a network.

What such a machine has already (torch, transformers and theirs) is left out, so that the folder can be carried along.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from email import message_from_bytes
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.side import REPOSITORY

MOST_BYTES = 60_000_000
# With torch and transformers come these; a second copy would take most of the room, or be of another build.
PRESENT = frozenset(
    {
        "torch", "triton", "transformers", "tokenizers", "safetensors", "huggingface-hub", "hf-xet", "numpy", "pillow",
        "regex", "requests", "urllib3", "tqdm", "filelock", "fsspec", "packaging", "pyyaml", "jinja2", "markupsafe",
        "networkx", "sympy", "mpmath", "setuptools", "charset-normalizer", "certifi", "idna",
    }
)  # fmt: skip
# Of these only the wheel itself: the rest of what they want is torch.
ALONE = ("accelerate", "psutil", "sentencepiece", "protobuf")
WITH_THEIRS = ("diffusers", "pytest", "hypothesis")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


class TooLarge(Exception):
    """It would not go where it has to."""


def main() -> None:
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    services = [*_dependencies(), *_peer("litserve"), *(f"{name}=={version(name)}" for name in WITH_THEIRS)]
    _download(services, options, "--only-binary=:all:")
    _download([f"{name}=={version(name)}" for name in ALONE], options, "--only-binary=:all:", "--no-deps")
    _build(options.folder)
    for wheel in without(options.folder.glob("*.whl"), PRESENT):
        wheel.unlink()
    if lacking := missing(options.folder, options.python, PRESENT):
        sys.exit(f"Neither in the bundle nor with torch: {', '.join(sorted(lacking))}.")
    print(f"{size_of(options.folder) / 1e6:.0f} MB in {options.folder}. There:")
    print("  python3 -m venv --system-site-packages .venv-gpu")
    print(f"  .venv-gpu/bin/pip install --no-index --no-deps {options.folder}/*.whl")
    print("  make gpu GPU_PYTHON=.venv-gpu/bin/python")


def without(wheels: Iterable[Path], present: frozenset[str]) -> list[Path]:
    """Wheels of packages that are there already; of NVIDIA's libraries too, which come with torch."""
    return [wheel for wheel in wheels if _name(wheel) in present or _name(wheel).startswith("nvidia-")]


def missing(folder: Path, python: str, present: frozenset[str]) -> set[str]:
    """What wheels of this folder ask for on the target, and will not find there."""
    wheels = list(folder.glob("*.whl"))
    target = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    wanted: set[str] = {
        canonicalize_name(requirement.name)
        for wheel in wheels
        for requirement in map(Requirement, _requirements(wheel))
        if not requirement.marker or requirement.marker.evaluate(target)
    }
    return wanted - present - {_name(wheel) for wheel in wheels}


def _requirements(wheel: Path) -> list[str]:
    with ZipFile(wheel) as files:
        metadata = next(name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(files.read(metadata)).get_all("Requires-Dist", [])


def size_of(folder: Path) -> int:
    """Raises TooLarge, naming what takes most."""
    sizes = {wheel.name: wheel.stat().st_size for wheel in folder.glob("*.whl")}
    total = sum(sizes.values())
    if total >= MOST_BYTES:
        largest = sorted(sizes, key=lambda name: sizes[name])[-3:]
        raise TooLarge(
            f"{total / 1e6:.0f} MB, and {MOST_BYTES / 1e6:.0f} is the most. The largest are {', '.join(largest)}: "
            "name in PRESENT of benchmarks/gpu/bundle.py what the target has already."
        )
    return total


def _name(wheel: Path) -> str:
    return re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()


def _dependencies() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def _peer(name: str) -> list[str]:
    lines = (REPOSITORY / "benchmarks" / "requirements-peers.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith(f"{name}==")]


def _build(folder: Path) -> None:
    """Darkroom itself: the API says its version. What runs is the repository."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", f"--wheel-dir={folder}", str(REPOSITORY)],
        check=True,
    )


def _download(requirements: list[str], options: argparse.Namespace, *how: str) -> None:
    target = [f"--platform={platform}" for platform in PLATFORMS]
    subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            f"--dest={options.folder}", f"--python-version={options.python}", *target, *how, *requirements,
        ],
        check=True,
    )  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="3.12", help="of the machine with the card")
    parser.add_argument("--folder", type=Path, default=Path("build/gpu-bundle"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
