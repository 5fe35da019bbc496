from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from darkroom.errors import WeightsMissing
from models.previews.tiny_autoencoder import LONGEST_SIDE, TinyAutoencoder, load_tiny

REPOSITORY = "someone/tae-test"


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that quadruples the sides, random, saved as a download would leave it."""
    from diffusers import AutoencoderTiny

    folder = tmp_path_factory.mktemp("weights")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: Any = AutoencoderTiny(
            encoder_block_out_channels=(8, 8, 8),
            decoder_block_out_channels=(8, 8, 8),
            num_encoder_blocks=(1, 1, 1),
            num_decoder_blocks=(1, 1, 1),
            upsampling_scaling_factor=2,
        )
        network.save_pretrained(folder / "tae-test")
    return folder


def load(weights_dir: Path | None) -> TinyAutoencoder:
    return load_tiny(REPOSITORY, device="cpu", dtype=torch.float32, weights_dir=weights_dir)


def test_it_draws_a_picture_for_each_row(weights_dir: Path) -> None:
    latents = torch.randn(2, 4, 8, 16, generator=torch.Generator().manual_seed(0))

    first, second = load(weights_dir).pictures(latents, aspect=2.0)

    assert (first.size, first.mode) == ((64, 32), "RGB")
    assert not np.array_equal(np.asarray(first), np.asarray(second))


def test_it_takes_packed_latents_too(weights_dir: Path) -> None:
    tiny = load(weights_dir)
    grid = torch.randn(1, 4, 4, 8, generator=torch.Generator().manual_seed(0))
    packed = grid.view(1, 4, 2, 2, 4, 2).permute(0, 2, 4, 1, 3, 5).reshape(1, 8, 16)

    [plain], [from_packed] = tiny.pictures(grid, aspect=2.0), tiny.pictures(packed, aspect=2.0)

    assert plain.tobytes() == from_packed.tobytes()


def test_its_pictures_are_no_larger_than_previews(weights_dir: Path) -> None:
    [picture] = load(weights_dir).pictures(torch.zeros(1, 4, 40, 80), aspect=2.0)

    assert picture.size == (LONGEST_SIDE, LONGEST_SIDE // 2)


def test_one_that_is_not_there_is_missed_with_the_command_that_gets_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="Run: hf download someone/tae-test --include"):
        load(tmp_path)


def test_a_folder_of_something_else_is_no_tiny_autoencoder(tmp_path: Path) -> None:
    (tmp_path / "tae-test").mkdir()

    with pytest.raises(WeightsMissing, match="holds no someone/tae-test"):
        load(tmp_path)
