"""The recipe runs, learns, and goes on where it was stopped; how well it ends is what `evaluate` measures."""

import random
from pathlib import Path

import pytest
import torch

from models.minilab.recipe.autoencoder import CHANNELS, PICTURE_CHANNELS, new_autoencoder, normalise, training_batches
from models.minilab.recipe.checkpoint import Checkpoint
from models.minilab.recipe.denoiser import drawn_weight, stratified_timesteps
from models.minilab.recipe.muon import Muon, orthogonal
from models.minilab.table import BEGIN, END, write_table


def test_normalised_latents_decode_to_the_same_picture() -> None:
    torch.manual_seed(0)
    autoencoder = new_autoencoder().eval()
    pictures = next(training_batches(seed=0, size=8))
    with torch.no_grad():
        before = autoencoder.decode(autoencoder.encode(pictures).latent_dist.mode()).sample

    normalise(autoencoder, pictures)

    with torch.no_grad():
        latents = autoencoder.encode(pictures).latent_dist.mode()
        after = autoencoder.decode(latents).sample
    assert torch.allclose(before, after, atol=1e-3)
    assert latents.shape[1] == CHANNELS
    assert latents.mean(dim=(0, 2, 3)).abs().max() < 1e-3
    assert latents[:, :PICTURE_CHANNELS].std(dim=(0, 2, 3)).mean() == pytest.approx(1, abs=0.02)


def test_what_is_drawn_weighs_more_than_its_background_and_its_edge_most() -> None:
    latents = torch.zeros(1, CHANNELS, 32, 32)
    latents[:, 0, 10:17, 10:17] = 2.0

    weight = drawn_weight(latents)

    assert weight.mean() == pytest.approx(1)
    background, inside, edge = (float(weight[0, 0, at, at]) for at in (0, 13, 10))
    assert inside == pytest.approx(3 * background)
    assert edge == pytest.approx(5 * background)


def test_a_batch_sees_all_noise_levels() -> None:
    timesteps = stratified_timesteps(10).sort().values

    assert [int(timestep) // 100 for timestep in timesteps] == list(range(10))


def test_muon_makes_a_matrix_nearly_orthogonal() -> None:
    torch.manual_seed(0)

    values = torch.linalg.svdvals(orthogonal(torch.randn(48, 20)))

    assert 0.6 < float(values.min()) <= float(values.max()) < 1.3


def test_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    unbroken = _trained(tmp_path / "a", [6])
    resumed = _trained(tmp_path / "b", [3, 6])

    assert torch.equal(unbroken, resumed)


def test_the_card_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    table = write_table({"20 steps": {"shape": 0.5}, "chance": {"shape": 0.1}}, card)

    assert card.read_text() == f"before\n{BEGIN}\n{table}\n{END}\nafter\n"
    assert "| shape | 50.0 | 10.0 |" in table


def test_a_card_without_marks_is_left_as_it_is(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("words")

    with pytest.raises(ValueError, match="needs the lines"):
        write_table({"20 steps": {"shape": 0.5}}, card)

    assert card.read_text() == "words"


def _trained(folder: Path, stops: list[int]) -> torch.Tensor:
    for stop in stops:
        torch.manual_seed(0)
        layer = torch.nn.Linear(4, 4)
        optimizer = Muon([layer.weight], lr=0.1)
        checkpoint = Checkpoint(folder / "layer.pt", layer, optimizer)
        for step in range(checkpoint.load(), stop):
            optimizer.zero_grad()
            layer(_input(step)).square().sum().backward()
            optimizer.step()
            checkpoint.save(step + 1)
    return layer.weight.detach()


def _input(step: int) -> torch.Tensor:
    return torch.tensor([random.Random(step + index).random() for index in range(4)])
