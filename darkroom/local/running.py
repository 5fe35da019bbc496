"""The Redis of a stack that is up, for other commands in the same data folder: its socket is a new one each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.settings import Settings, read_settings

FILE = "redis.url"


@contextmanager
def told(data_dir: Path, socket: Path) -> Iterator[None]:
    """While the stack is up."""
    path = data_dir / FILE
    path.write_text(url_of(socket), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def url_of(socket: Path) -> str:
    return f"unix://{socket}?db=0"


def settings_here() -> Settings:
    """As every process reads them; where they name no Redis, that of a stack that is up. Raises Misconfigured."""
    settings = read_settings()
    path = settings.data_dir / FILE
    if "redis_url" in settings.model_fields_set or not path.exists():
        return settings
    url = path.read_text(encoding="utf-8")
    # One that was killed could not take it back.
    is_up = Path(url.removeprefix("unix://").partition("?")[0]).exists()
    return settings.model_copy(update={"redis_url": url}) if is_up else settings
