"""How inputs come to the size that is drawn, and which part of them a mask opens."""

import numpy as np
import pytest
from PIL import Image

from darkroom.inputs import Fit, Task
from models.pictures import fitted, mask_from, opaque, pictures_of
from tests.conftest import image_request

SIDE_BY_SIDE = Image.new("RGB", (80, 40), "red")
SIDE_BY_SIDE.paste((0, 0, 255), (40, 0, 80, 40))


def colours(image: Image.Image) -> list[object]:
    """Of the left edge, the middle left, the right edge."""
    middle = image.height // 2
    return [image.getpixel((x, middle)) for x in (0, image.width // 4, image.width - 1)]


@pytest.mark.parametrize("fit", list(Fit))
def test_every_way_gives_the_size(fit: Fit) -> None:
    assert fitted(SIDE_BY_SIDE, (64, 48), fit).size == (64, 48)
    assert fitted(SIDE_BY_SIDE, (80, 40), fit) is SIDE_BY_SIDE


def test_fit_shows_all_of_it_distorted() -> None:
    assert colours(fitted(SIDE_BY_SIDE, (40, 40), Fit.FIT)) == [(255, 0, 0), (255, 0, 0), (0, 0, 255)]


def test_crop_shows_the_middle_undistorted() -> None:
    stripe = SIDE_BY_SIDE.copy()
    stripe.paste((0, 255, 0), (0, 0, 10, 40))

    assert (0, 255, 0) not in colours(fitted(stripe, (40, 40), Fit.CROP))


def test_pad_repeats_the_edges() -> None:
    padded = fitted(SIDE_BY_SIDE, (80, 80), Fit.PAD)

    assert [padded.getpixel((x, y)) for x, y in ((0, 0), (79, 0), (0, 79), (79, 40))] == [
        (255, 0, 0), (0, 0, 255), (255, 0, 0), (0, 0, 255),
    ]  # fmt: skip


def test_what_is_transparent_shows_white() -> None:
    assert opaque(Image.new("RGBA", (4, 4), (255, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_a_mask_opens_what_is_white_or_what_is_transparent() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 255, 255, 255))
    clear.putpixel((1, 1), (0, 0, 0, 0))

    assert mask_from(Image.new("RGB", (4, 4), "white")).getpixel((0, 0)) == 255
    assert np.asarray(mask_from(clear)).sum() == 255


def test_the_image_s_own_transparency_is_its_mask_and_editors_keep_their_images_size() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    redraw = image_request(task=Task.INPAINTING, image=("upl_x",), mask="alpha", width=32, height=32)
    edit = image_request(task=Task.EDIT, image=("upl_x",), width=32, height=32)

    pictures = pictures_of(redraw, lambda _: clear)

    assert pictures.mask is not None
    assert (pictures.mask.size, pictures.mask.getpixel((5, 5))) == ((32, 32), 255)
    assert [image.size for image in pictures_of(edit, lambda _: clear).image] == [(64, 64)]
