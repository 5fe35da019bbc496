"""Files that clients send as inputs."""

from io import BytesIO
from typing import Any

from PIL import Image

RED, CLEAR = (255, 0, 0, 255), (0, 0, 0, 0)


def encoded(image: Image.Image, form: str = "png", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def picture(width: int = 64, height: int = 64, colour: str = "teal") -> bytes:
    return encoded(Image.new("RGB", (width, height), colour))


def with_hole(width: int = 64, height: int = 64) -> bytes:
    """Transparent in its upper left quarter."""
    image = Image.new("RGBA", (width, height), RED)
    image.paste(CLEAR, (0, 0, width // 2, height // 2))
    return encoded(image)


def decoded(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))
