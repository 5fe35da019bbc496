"""Makes minilab from nothing: `python -m models.minilab.recipe.train`. Stopped at any time, it goes on where it was.

On two CPU cores this takes hours, on a GPU minutes. Seeds are fixed; bits still differ between devices.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from models.minilab.recipe.autoencoder import new_autoencoder, train_autoencoder
from models.minilab.recipe.denoiser import Samples, Training, encoded_samples
from models.minilab.recipe.export import export
from models.minilab.recipe.pictures import Picture, training_picture
from models.minilab.recipe.render import render
from models.minilab.recipe.words import new_tokenizer

log = structlog.get_logger()

AUTOENCODER_STEPS = 4_000
DENOISER_STEPS = 7_500
PICTURES = 40_000


def train(work: Path, result: Path, device: torch.device, denoiser_steps: int) -> None:
    """`work` holds checkpoints (about 450 MB), `result` gets the diffusers folder."""
    autoencoder = trained_autoencoder(work, device)
    samples = training_samples(autoencoder, work)
    tokenizer = new_tokenizer()
    training = Training(work, samples, tokenizer, device)
    training.run(denoiser_steps)
    export(result, autoencoder, training.averaged(), tokenizer)
    log.info("trained", folder=str(result))


def trained_autoencoder(work: Path, device: torch.device) -> Any:
    folder = work / "vae"
    if not folder.is_dir():
        train_autoencoder(work, AUTOENCODER_STEPS, device).save_pretrained(folder)
    # Into one made here: what is loaded remembers the name of its folder, which is nobody's business.
    autoencoder = new_autoencoder()
    saved: Any = AutoencoderKL.from_pretrained(folder)
    autoencoder.load_state_dict(saved.state_dict())
    return autoencoder.to(device).eval()


def training_samples(autoencoder: Any, work: Path) -> Samples:
    """Pictures are made again from their seed; only their latents are kept on disk."""
    file = work / "latents.pt"
    if not file.exists():
        samples = encoded_samples(autoencoder, rendered(seed=3), PICTURES)
        torch.save(samples.latents, file)
        return samples
    latents = torch.load(file, weights_only=True)
    return Samples([picture for picture, _ in _first(rendered(seed=3, pixels=False), len(latents))], latents)


def rendered(seed: int, pixels: bool = True) -> Iterator[tuple[Picture, Tensor]]:
    """With tensors `(3, 128, 128)` from -1 to 1, or empty ones."""
    chance, tints = random.Random(seed), random.Random(seed + 1)
    while True:
        picture = training_picture(chance)
        yield picture, _tensor(picture, tints) if pixels else torch.empty(0)


def _tensor(picture: Picture, tints: random.Random) -> Tensor:
    return torch.from_numpy(np.array(render(picture, tints))).permute(2, 0, 1).float() / 127.5 - 1


def _first(pictures: Iterator[tuple[Picture, Tensor]], count: int) -> Iterator[tuple[Picture, Tensor]]:
    for _ in range(count):
        yield next(pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/minilab"), help="where checkpoints are kept")
    parser.add_argument("--result", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=DENOISER_STEPS, help="of the denoiser, 64 samples each")
    chosen = parser.parse_args()
    train(chosen.work, chosen.result, torch.device(chosen.device), chosen.steps)


if __name__ == "__main__":
    main()
