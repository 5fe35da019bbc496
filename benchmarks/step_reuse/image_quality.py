"""How alike two pictures are: values from 0 to 1, in the shape (height, width, 3)."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Pixels = NDArray[np.float64]

WINDOW = 7
# One grey level of 256 everywhere has 48 dB; this is for pictures without any difference.
MOST_DB = 99.0


def psnr(one: Pixels, other: Pixels) -> float:
    """Peak signal-to-noise ratio, dB."""
    error = float(((one - other) ** 2).mean())
    return min(MOST_DB, -10 * float(np.log10(error))) if error else MOST_DB


def ssim(one: Pixels, other: Pixels) -> float:
    """Structural similarity of greys: Wang et al. 2004, with even windows of 7x7."""
    a, b = one.mean(axis=2), other.mean(axis=2)
    mean_a, mean_b = _means(a), _means(b)
    variances = _means(a * a) - mean_a**2 + _means(b * b) - mean_b**2
    covariance = _means(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((likeness / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean())


def _means(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    windows: NDArray[np.float64] = sliding_window_view(grey, (WINDOW, WINDOW)).mean(axis=(2, 3))
    return windows
