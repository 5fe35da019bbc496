"""Measures of likeness, on pictures whose likeness is known."""

import numpy as np
import pytest

from benchmarks.step_reuse.image_quality import MOST_DB, psnr, ssim

PICTURE = np.random.default_rng(0).random((32, 32, 3))


def test_a_picture_is_just_like_itself() -> None:
    assert psnr(PICTURE, PICTURE) == MOST_DB
    assert ssim(PICTURE, PICTURE) == pytest.approx(1)


def test_a_shift_of_a_hundredth_everywhere_has_forty_decibels() -> None:
    assert psnr(PICTURE, PICTURE + 0.01) == pytest.approx(40)


def test_more_noise_is_less_alike() -> None:
    noise = np.random.default_rng(1).normal(0, 1, PICTURE.shape)

    likeness = [ssim(PICTURE, PICTURE + strength * noise) for strength in (0.01, 0.1, 0.5)]

    assert likeness == sorted(likeness, reverse=True)
    assert likeness[0] > 0.99
    assert likeness[-1] < 0.5
