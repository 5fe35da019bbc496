"""Large images in parts: whatever the size, the same pixels as at once, and no more memory than a part takes."""

import numpy as np
import pytest
from PIL import Image

from cpu_worker.upscaling.network import Network
from cpu_worker.upscaling.tiles import AROUND, SIDE, Pixels, count_of, parts, upscaled

RANDOM = np.random.default_rng(7)


def doubled(pixels: Pixels) -> Pixels:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


@pytest.mark.parametrize("length", [1, 8, SIDE, SIDE + 1, 512, 1000, 4096])
def test_a_side_is_cut_into_equal_parts_without_gaps(length: int) -> None:
    cuts = parts(length)

    sizes = [end - begin for begin, end in cuts]
    assert [cuts[0][0], *(end for _, end in cuts)] == [begin for begin, _ in cuts] + [length]
    assert max(sizes) <= SIDE
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("size", [(1, 1), (8, 300), (SIDE, SIDE), (401, 250)])
def test_parts_are_put_where_they_belong(size: tuple[int, int]) -> None:
    width, height = size
    pixels = RANDOM.integers(0, 256, (height, width, 3), np.uint8)
    done: list[int] = []

    made = upscaled(pixels, 2, doubled, lambda: done.append(1))

    assert np.array_equal(made, doubled(pixels))
    assert len(done) == count_of(width, height)


def test_no_part_is_larger_than_its_side_and_what_lies_around_it() -> None:
    seen: list[tuple[int, ...]] = []

    def note(pixels: Pixels) -> Pixels:
        seen.append(pixels.shape)
        return doubled(pixels)

    upscaled(np.zeros((700, 1500, 3), np.uint8), 2, note, lambda: None)

    assert max(side for height, width, _ in seen for side in (height, width)) <= SIDE + 2 * AROUND


def test_what_a_part_s_end_raises_ends_the_work() -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        upscaled(np.zeros((500, 500, 3), np.uint8), 2, doubled, stop)


@pytest.mark.parametrize("factor", [2, 4])
def test_the_network_shows_no_seam_between_parts(factor: int) -> None:
    """Rounding of arithmetic that is done in another order is all that may differ."""
    enlarge, pixels = Network(factor), drawing(300, 230)

    at_once = enlarge(pixels)
    in_parts = upscaled(pixels, factor, enlarge, lambda: None)

    assert at_once.shape == in_parts.shape == (230 * factor, 300 * factor, 3)
    assert np.abs(at_once.astype(int) - in_parts.astype(int)).max() <= 1


@pytest.mark.parametrize("factor", [2, 4])
def test_an_upscaled_image_shows_the_same_as_before(factor: int) -> None:
    pixels = drawing(120, 96, noise=0)

    made = Image.fromarray(Network(factor)(pixels))

    again = np.asarray(made.resize((120, 96), Image.Resampling.BOX)).astype(int)
    assert np.abs(again - pixels).mean() < 6


def test_the_network_takes_any_size_and_colour() -> None:
    enlarge = Network(2)

    assert enlarge(np.zeros((1, 1, 3), np.uint8)).shape == (2, 2, 3)
    for shape in ((8, 8), (9, 31)):
        for value in (0, 255):
            made = enlarge(np.full((*shape, 3), value, np.uint8))
            assert made.shape == (2 * shape[0], 2 * shape[1], 3)
            assert np.abs(made.astype(int) - value).max() <= 8


def drawing(width: int, height: int, noise: float = 6) -> Pixels:
    """Edges in all directions, colours, and noise, which the network takes out."""
    y, x = np.mgrid[:height, :width]
    circle = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2
    picture = np.stack([x * 255 // width, y * 255 // height, np.where(circle, 220, 40)], axis=-1)
    return np.clip(picture + RANDOM.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
