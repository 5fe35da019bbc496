"""Reads a client's picture once, whatever it is, into the one form in which inputs are kept.

That form is a PNG of 8 bits a channel, upright, RGB, or RGBA where something is transparent, with no more pixels than
any model takes. Workers read nothing else, so a file made to do harm meets one decoder, here, within bounds.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from darkroom.errors import DarkroomError, InvalidRequest

if TYPE_CHECKING:
    from PIL.Image import Image

# By content: the name and the declared type of a file may say anything. Others have decoders that are hardly ever used.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# As much as the largest model of the catalogue draws; more would only be thrown away for each job anew.
MOST_KEPT_PIXELS = 4_194_304
LONGEST_SIDE = 16_384
SHORTEST_SIDE = 8

PICTURE_FAULT_CODES = (
    "input_not_a_picture", "input_damaged", "input_too_many_pixels", "input_too_small", "input_animated",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    png: bytes
    width: int
    height: int
    has_alpha: bool


def read_picture(data: bytes, field: str, max_pixels: int) -> Picture:
    """Takes up to 8 bytes of memory for each pixel. Raises InvalidRequest, `field` being the one at fault."""
    try:
        with _opened(data, field, max_pixels) as image:
            return _kept(_upright(_loaded(image)))
    except DarkroomError:
        raise
    except Exception as error:
        # Decoders meet damage in many ways: OSError, SyntaxError, ValueError, struct.error, zlib.error …
        message = f"{field} cannot be read to its end: it is cut off or damaged. Save it again."
        raise InvalidRequest.of(field, "input_damaged", message) from error


def _opened(data: bytes, field: str, max_pixels: int) -> "Image":
    """From the header alone; nothing is decoded yet."""
    from PIL import Image, UnidentifiedImageError

    # The bound is ours: lower, and no warning.
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        message = f"{field} is no PNG, JPEG, WebP or GIF: convert it to one of these."
        raise InvalidRequest.of(field, "input_not_a_picture", message) from error
    width, height = image.size
    if width * height > max_pixels or max(width, height) > LONGEST_SIDE:
        message = f"{field} is {width}x{height}; {max_pixels} pixels and sides of {LONGEST_SIDE} are read at most."
        raise InvalidRequest.of(field, "input_too_many_pixels", f"{message} Make it smaller.")
    if min(width, height) < SHORTEST_SIDE:
        message = f"{field} is {width}x{height}; its sides need {SHORTEST_SIDE} pixels at least."
        raise InvalidRequest.of(field, "input_too_small", message)
    # A JPEG with a second one behind it, as phones write them, is a picture with an appendix.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise InvalidRequest.of(
            field, "input_animated", f"{field} is animated: send one frame of it as a picture of its own."
        )
    return image


def _loaded(image: "Image") -> "Image":
    """In RGB or RGBA of 8 bits, with no more pixels than are kept."""
    side = max(image.size) * min(1.0, (MOST_KEPT_PIXELS / (image.width * image.height)) ** 0.5)
    # A JPEG is read at a fraction of its size where that is enough.
    image.draft(None, (int(side), int(side)))
    image.load()
    loaded = _eight_bits(image)
    if loaded.width * loaded.height > MOST_KEPT_PIXELS:
        loaded.thumbnail((int(side), int(side)))
    return loaded


def _eight_bits(image: "Image") -> "Image":
    if image.mode.startswith("I") or image.mode == "F":
        # Grey of 16 bits: Pillow would clip it, and nearly all of it would be white.
        grey = image.convert("I").point(lambda value: value * (1 / 256) + 0).convert("L")
        return grey.convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _upright(image: "Image") -> "Image":
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # nonsense beside the picture is no reason to refuse it
        return image


def _kept(image: "Image") -> Picture:
    from PIL import ImageChops

    has_alpha = image.mode == "RGBA" and ImageChops.invert(image.getchannel("A")).getbbox() is not None
    plain = image if has_alpha else image.convert("RGB")
    plain.info.clear()  # of where and when, and with what, it was taken
    buffer = BytesIO()
    plain.save(buffer, "png", compress_level=1)
    return Picture(buffer.getvalue(), plain.width, plain.height, has_alpha)
