"""The secret behind links to local images: the operator's, or one of our own that is made once and kept."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from darkroom.errors import Misconfigured
from darkroom.settings import Settings

SHORTEST = 32


def signing_key(settings: Settings) -> bytes:
    """Raises Misconfigured where there is none and none can be kept."""
    if settings.signing_key is not None:
        return settings.signing_key.get_secret_value().encode()
    path = settings.data_dir / "signing.key"
    try:
        if not path.exists():
            _make(path)
        kept = path.read_bytes().strip()
    except OSError as error:
        raise Misconfigured(
            f"The signing key {path} cannot be kept: {error.strerror}. Make its folder writable, or set "
            "DARKROOM_SIGNING_KEY."
        ) from error
    if len(kept) < SHORTEST:
        raise Misconfigured(f"The signing key {path} is damaged. Delete it; links made with it cease to work.")
    return kept


def _make(path: Path) -> None:
    """Two processes that start at once agree: the first link to the name stays, and the other's key is dropped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".signing-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
