"""Whatever a client's picture is, one form comes of it, or a sentence that says what is wrong."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from api.inputs.pictures import LONGEST_SIDE, MOST_KEPT_PIXELS, read_picture
from darkroom.errors import InvalidRequest
from tests.api.input_pictures import decoded, encoded, picture, with_hole

LIMIT = 10_000_000
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


def kept(data: bytes) -> Image.Image:
    read = read_picture(data, "image", LIMIT)
    image = decoded(read.png)
    image.load()
    assert image.size == (read.width, read.height)
    assert image.mode == ("RGBA" if read.has_alpha else "RGB")
    return image


def refusal(data: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(InvalidRequest) as refused:
        read_picture(data, "image", limit)
    [fault] = refused.value.faults
    assert fault.field == "image"
    return fault.code


def test_a_plain_picture_is_kept_pixel_for_pixel() -> None:
    assert np.array_equal(np.asarray(kept(encoded(NOISE))), np.asarray(NOISE))


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "gif"])
def test_each_format_is_known_by_its_content(form: str) -> None:
    assert kept(encoded(NOISE, form)).size == NOISE.size


def test_a_picture_taken_sideways_is_turned_upright_and_says_no_more_of_its_camera() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"  # turned by 90 degrees

    image = kept(encoded(NOISE, "jpeg", exif=exif))

    assert image.size == (40, 60)
    assert not dict(image.getexif())
    assert not image.info


def test_nonsense_in_place_of_exif_does_no_harm() -> None:
    assert kept(encoded(NOISE, "jpeg", exif=b"Exif\x00\x00" + b"\xff" * 40)).size == NOISE.size


def test_transparency_is_kept_where_there_is_some() -> None:
    image = kept(with_hole())

    assert [image.getpixel(at) for at in ((0, 0), (63, 63))] == [(0, 0, 0, 0), (255, 0, 0, 255)]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_an_alpha_channel_of_nothing_transparent_is_left_out(mode: str) -> None:
    opaque = Image.new("RGBA", (20, 20), "red").convert("RGBA" if mode == "PA" else mode)

    assert kept(encoded(opaque)).mode == "RGB"


def test_a_palette_with_a_transparent_colour_is_transparent() -> None:
    flat = Image.new("P", (20, 20), 1)
    flat.paste(0, (0, 0, 5, 5))

    assert kept(encoded(flat, transparency=0)).getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_cmyk_becomes_rgb() -> None:
    red, *_ = kept(encoded(Image.new("RGB", (32, 32), "red").convert("CMYK"), "jpeg")).getpixel((9, 9))  # type: ignore[misc]

    assert red > 240


def test_grey_of_16_bits_keeps_its_shades() -> None:
    ramp = Image.fromarray((np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64))

    image = np.asarray(kept(encoded(ramp)))

    assert (image.min(), image[32, 0, 0], image.max()) == (0, 128, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_other_ways_to_keep_colours_become_rgb(mode: str) -> None:
    assert kept(encoded(NOISE.convert(mode))).mode == "RGB"


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_more_pixels_than_any_model_takes_are_not_kept(form: str) -> None:
    image = kept(encoded(Image.new("RGB", (3000, 2000)), form))

    assert 0.9 * MOST_KEPT_PIXELS < image.width * image.height <= MOST_KEPT_PIXELS
    assert image.width / image.height == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "input_not_a_picture"),
        (b"<html>no picture</html>", "input_not_a_picture"),
        (b"\x89PNG\r\n\x1a\n", "input_not_a_picture"),
        (encoded(NOISE, "bmp"), "input_not_a_picture"),
        (encoded(NOISE, "tiff"), "input_not_a_picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "input_not_a_picture"),
        (encoded(NOISE)[:400], "input_damaged"),
        (encoded(NOISE, "jpeg")[:700], "input_damaged"),
        (encoded(NOISE, "webp")[:60], "input_damaged"),
        (picture(7, 100), "input_too_small"),
        (encoded(NOISE, "gif", save_all=True, append_images=[NOISE.rotate(90)]), "input_animated"),
        (encoded(NOISE, "webp", save_all=True, append_images=[NOISE.rotate(90)]), "input_animated"),
        (encoded(NOISE, "png", save_all=True, append_images=[NOISE.rotate(90)]), "input_animated"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_own_code(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    """A file of some kilobytes that would be 900 MB of pixels; not one of them is decoded."""
    assert refusal(png_of(15_000, 15_000, rows=b"")) == "input_too_many_pixels"


def test_a_side_that_is_huge_is_refused_though_the_pixels_are_few() -> None:
    assert refusal(png_of(LONGEST_SIDE + 1, 8, rows=b"")) == "input_too_many_pixels"


def test_a_file_that_says_it_is_smaller_than_it_is_gives_no_more_than_it_says() -> None:
    rows = b"".join(b"\x00" + b"\xff" * 3 * 64 for _ in range(100_000))

    assert kept(png_of(64, 64, rows)).size == (64, 64)


def test_a_bomb_in_a_comment_is_not_unpacked() -> None:
    bomb = zlib.compress(b"x" * 100_000_000)
    head, tail = picture()[:33], picture()[33:]

    assert refusal(head + chunk(b"zTXt", b"Comment\x00\x00" + bomb) + tail) == "input_damaged"


def png_of(width: int, height: int, rows: bytes) -> bytes:
    header = width.to_bytes(4) + height.to_bytes(4) + bytes((8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def test_a_jpeg_with_a_second_picture_behind_it_is_the_first_one() -> None:
    """As phones write them."""
    buffer = io.BytesIO()
    NOISE.save(buffer, "MPO", save_all=True, append_images=[NOISE.rotate(180)])

    assert kept(buffer.getvalue()).size == NOISE.size
