"""Whether what was fetched is what was promised."""

import hashlib
import io

import pytest
from PIL import Image

from darkroom.errors import DemoFailed
from darkroom.local.demo.picture import require_png


def encoded(image_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), "red").save(buffer, image_format)
    return buffer.getvalue()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_promised_png_passes() -> None:
    require_png(encoded(), width=24, height=16, sha256=digest(encoded()))


def test_other_bytes_are_refused() -> None:
    with pytest.raises(DemoFailed, match="SHA-256"):
        require_png(encoded(), width=24, height=16, sha256=digest(b"other"))


def test_another_size_is_refused() -> None:
    with pytest.raises(DemoFailed, match="24 x 16 pixels; 16 x 16 were asked for"):
        require_png(encoded(), width=16, height=16, sha256=digest(encoded()))


@pytest.mark.parametrize("content", [b"", encoded()[:60], encoded("JPEG")], ids=["nothing", "a torso", "a JPEG"])
def test_what_is_not_a_sound_png_is_refused(content: bytes) -> None:
    with pytest.raises(DemoFailed, match="not a sound PNG"):
        require_png(content, width=24, height=16, sha256=digest(content))
