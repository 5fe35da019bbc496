"""Brings a request's inputs to the size that is drawn, and to what pipelines understand."""

from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image, ImageOps

from darkroom.inputs import ALPHA, Fit, Task
from darkroom.request import ImageRequest

Read = Callable[[str], Image.Image]
"""The picture of an input, by its id."""


@dataclass(frozen=True)
class Pictures:
    """As a pipeline takes them: RGB; of the mask, white is redrawn."""

    image: list[Image.Image] = field(default_factory=list)
    mask: Image.Image | None = None
    control_image: Image.Image | None = None


def pictures_of(request: ImageRequest, read: Read) -> Pictures:
    if not request.inputs:
        return Pictures()
    size = (request.width, request.height)
    found = {input_id: read(input_id) for input_id in request.inputs}
    images = [found[input_id] for input_id in request.image]
    mask = images[0] if request.mask == ALPHA else found[request.mask] if request.mask else None
    control = found[request.control_image] if request.control_image else None
    # Editors look at their images as they are; nothing of them is drawn over.
    own_size = request.task is Task.EDIT
    return Pictures(
        [opaque(image) if own_size else fitted(opaque(image), size, request.fit) for image in images],
        None if mask is None else fitted(mask_from(mask), size, request.fit),
        None if control is None else fitted(opaque(control), size, request.fit),
    )


def opaque(image: Image.Image) -> Image.Image:
    """What is transparent shows white."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def mask_from(image: Image.Image) -> Image.Image:
    """White where to redraw: what is transparent, or, where nothing is, what is white."""
    return ImageOps.invert(image.getchannel("A")) if image.mode == "RGBA" else image.convert("L")


def fitted(image: Image.Image, size: tuple[int, int], fit: Fit) -> Image.Image:
    if image.size == size:
        return image
    match fit:
        case Fit.FIT:
            return image.resize(size, Image.Resampling.LANCZOS)
        case Fit.CROP:
            return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
        case Fit.PAD:
            return _padded(image, size)


def _padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """In the middle, its outermost pixels repeated beside it: a border of one colour would be drawn on as an edge."""
    inside = ImageOps.contain(image, size, Image.Resampling.LANCZOS)
    left, top = (size[0] - inside.width) // 2, (size[1] - inside.height) // 2
    padded = Image.new(image.mode, size)
    padded.paste(inside, (left, top))
    right, bottom = left + inside.width, top + inside.height
    for edge, space in (
        ((left, top, left + 1, bottom), (0, top, left, bottom)),
        ((right - 1, top, right, bottom), (right, top, size[0], bottom)),
        ((0, top, size[0], top + 1), (0, 0, size[0], top)),
        ((0, bottom - 1, size[0], bottom), (0, bottom, size[0], size[1])),
    ):
        width, height = space[2] - space[0], space[3] - space[1]
        if width and height:
            padded.paste(padded.crop(edge).resize((width, height)), space[:2])
    return padded
