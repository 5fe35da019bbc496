"""Whether what was fetched is the picture that was promised."""

import hashlib
import io

from darkroom.errors import DemoFailed


def require_png(content: bytes, *, width: int, height: int, sha256: str) -> None:
    """Raises DemoFailed, saying what differs."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DemoFailed(f"The image fetched has the SHA-256 {found}; the job's record says {sha256}.")
    size = _png_size(content)
    if size != (width, height):
        raise DemoFailed(f"The image is {size[0]} x {size[1]} pixels; {width} x {height} were asked for.")


def _png_size(content: bytes) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            image.load()  # decodes every pixel; `verify` would stop at the checksums
            return image.size
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise DemoFailed(f"What was fetched is not a sound PNG: {error}") from error
